/** Problems in the API's answers. */
import { parseJson } from '../src/text/json.ts'
import { Failure } from './failure.ts'

type Told = { readonly code: string; readonly detail: string }

function read(text: string): Told | undefined {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || !('code' in value) || !('detail' in value))
    return undefined
  return { code: String(value.code), detail: String(value.detail) }
}

/** The code of an answer that is a problem; its body can still be read afterwards. */
export async function problemCode(response: Response): Promise<string | undefined> {
  return read(await response.clone().text())?.code
}

/** The failure that an answer describes. */
export async function failureOf(response: Response): Promise<Failure> {
  const told = read(await response.text())
  return told === undefined
    ? new Failure('server_error', `the service answered ${response.status} without saying why`)
    : new Failure(told.code, told.detail)
}
