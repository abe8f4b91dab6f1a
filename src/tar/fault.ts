/** The two problems that a tar can have; both say where. */
import { Problem } from '../problem.ts'

/** @param position bytes from the beginning of the uncompressed tar */
export function malformed(what: string, position: number): Problem {
  return new Problem('invalid_image', `${what} at byte ${position} of the uncompressed tar`)
}

/** @param limit the exceeded limit, with the name of its setting if it has one */
export function excessive(what: string, position: number, limit: string): Problem {
  return new Problem('too_large', `${what} at byte ${position} of the uncompressed tar: at most ${limit}`)
}
