/**
 * Where a list continues. A cursor pins what the list began with: the digests, since a tag can move between two pages, and the
 * question, since a position in one order means nothing in another.
 */
import { createHash } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import { Problem } from '../problem.ts'
import { parseJson } from '../text/json.ts'

export type Cursor = {
  /** Names of the indexes of the listed images: one, or two for a diff; none for a registry's own lists. */
  readonly pins: readonly string[]
  /** A row's number, or the registry's own marker. */
  readonly at: number | string
}

const cursorParts = z.tuple([
  z.array(z.string().regex(/^sha256:[0-9a-f]{64}(?:\/toc)?$/)).max(2),
  z.union([z.int().nonnegative(), z.string().max(1024)]),
  z.string(),
])

type Query = Readonly<Record<string, unknown>>

/** Parameters that may differ from page to page. */
const FREE = new Set(['cursor', 'limit', 'wait'])

export function encodeCursor(cursor: Cursor, query: Query): string {
  return Buffer.from(JSON.stringify([cursor.pins, cursor.at, fingerprint(query)])).toString('base64url')
}

/** @throws Problem `invalid_parameter` if the cursor is invalid or belongs to another request */
export function decodeCursor(text: string, query: Query): Cursor {
  const parsed = cursorParts.safeParse(parseJson(Buffer.from(text, 'base64url').toString('utf8')))
  if (!parsed.success) throw refused('is not valid: send the nextCursor of the previous page, unchanged')
  const [pins, at, of] = parsed.data
  if (of !== fingerprint(query))
    throw refused('belongs to a request with other parameters: only limit and wait may change between pages')
  return { pins, at }
}

/** A problem with the cursor. */
export function refused(why: string): Problem {
  return new Problem('invalid_parameter', `cursor ${why}`, { parameter: 'cursor' })
}

function fingerprint(query: Query): string {
  const asked = Object.entries(query)
    .filter(([name, value]) => !FREE.has(name) && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(asked)).digest('base64url').slice(0, 16)
}
