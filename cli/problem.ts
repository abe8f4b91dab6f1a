/** Problems in the API's answers. */
import { parseJson } from '../src/text/json.ts'
import { Failure } from './failure.ts'
import { commandWords, type ProblemWords, type Reader } from './words.ts'

type Problem = ProblemWords & { readonly code: string; readonly image?: string | undefined }

function read(text: string): Problem | undefined {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || !('code' in value) || !('detail' in value))
    return undefined
  const parameter = 'parameter' in value ? String(value.parameter) : undefined
  const image = 'image' in value ? String(value.image) : undefined
  return { code: String(value.code), detail: String(value.detail), parameter, image }
}

/** The code of an answer that is a problem; its body can still be read afterwards. */
export async function problemCode(response: Response): Promise<string | undefined> {
  return read(await response.clone().text())?.code
}

/** The failure that an answer describes, in the words of the command. */
export async function failureOf(response: Response, reader: Reader): Promise<Failure> {
  const problem = read(await response.text())
  return problem === undefined
    ? new Failure('server_error', `the service answered ${response.status} without saying why`)
    : new Failure(problem.code, commandWords(problem, reader), problem.image)
}
