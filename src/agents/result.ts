/**
 * What a tool answers: one text, in which everything that comes from an image or a registry stands between marks that nothing
 * inside can know.
 */
import { randomBytes } from 'node:crypto'

/** Longer answers continue behind a cursor. */
export const RESULT_BYTES = 8_192
const MARK_BYTES = 8

export type Result = { readonly text: string; readonly isError: boolean }

export type Parts = {
  /** The service's own words. */
  readonly sentence: string
  readonly data: string
  /** Where it continues. */
  readonly cursor?: string | undefined
}

/** How many bytes of data fit. @param cursor the longest that may follow */
export function roomFor({ sentence, cursor }: Omit<Parts, 'data'>): number {
  return RESULT_BYTES - Buffer.byteLength(textOf({ sentence, data: '', cursor }))
}

export function textOf({ sentence, data, cursor }: Parts): string {
  const mark = randomBytes(MARK_BYTES).toString('hex')
  const more = cursor === undefined ? '' : `\ncursor: ${cursor}`
  return `${sentence}\n<<< untrusted data ${mark}\n${data}\n>>> ${mark}${more}`
}
