import { Problem } from '../problem.ts'
import { compileGlobs } from '../text/glob.ts'

/**
 * What the parameter `glob` lets through; undefined if it is not given.
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
