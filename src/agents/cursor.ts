/** Where an answer continues: how many of its lines or bytes were given before. */
import { createHash } from 'node:crypto'
import { Problem } from '../problem.ts'

export type Continuation = {
  /** Lines of an answer, or bytes of a file, that were given before. */
  readonly skipped: number
  /** What they were counted in; absent where nothing was skipped. */
  readonly of?: string | undefined
  /** The page of the API's list; absent for its first. */
  readonly page?: string | undefined
}

const START: Continuation = { skipped: 0 }
const CURSOR = /^(\d{1,15})-([0-9a-f]{16})?(?:-([A-Za-z0-9_-]{1,2048}))?$/

export function writeCursor({ skipped, of = '', page }: Continuation): string {
  return page === undefined ? `${skipped}-${of}` : `${skipped}-${of}-${page}`
}

/** @throws Problem `invalid_parameter` */
export function readCursor(given: unknown): Continuation {
  if (given === undefined) return START
  const [, skipped, of, page] = (typeof given === 'string' && CURSOR.exec(given)) || []
  if (skipped === undefined) throw refused('is not valid: send the cursor of the previous answer, unchanged')
  return { skipped: Number(skipped), of, page }
}

/** A short name of what was counted. */
export function nameOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
}

/** @throws Problem `invalid_parameter` if the lines or bytes that were skipped were others */
export function requireSame({ skipped, of }: Continuation, now: string): void {
  if (skipped > 0 && of !== now)
    throw refused('belongs to other arguments, or the image has changed since: ask again without it')
}

function refused(why: string): Problem {
  return new Problem('invalid_parameter', `cursor ${why}`, { parameter: 'cursor' })
}
