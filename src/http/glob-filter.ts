/** Compiles the parameter `glob` of lists; an error names the parameter. */
import { Problem } from '../problem.ts'
import { compileGlobs } from '../text/glob.ts'

/**
 * A filter for the parameter `glob`; undefined if it is absent.
 *
 * @throws Problem `invalid_parameter` with the parameter's name
 */
export function globFilter(glob: string | undefined): ((path: string) => boolean) | undefined {
  if (glob === undefined) return undefined
  try {
    return compileGlobs([glob])
  } catch (error) {
    throw error instanceof Problem ? error.with({ parameter: 'glob' }) : error
  }
}
