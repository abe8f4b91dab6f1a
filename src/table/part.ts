/** A part of an object, read as if it were an object of its own. */
import { z } from 'zod'
import type { ByteRange, ObjectStore } from '../host.ts'
import { boundsOf } from './byte-range.ts'

/** Where a part is in its object. */
export type StoredPart = { readonly offset: number; readonly bytes: number }

export const STORED_PART: z.ZodType<StoredPart> = z.object({ offset: z.number(), bytes: z.number() })

/** Of a part that the object does not have. */
export const NOWHERE: StoredPart = { offset: 0, bytes: 0 }

/** What reading a table takes. */
export type TableStore = Pick<ObjectStore, 'get'>

/** Gives the part of the object `key`, whichever name it is asked for by. */
export function partOf(store: TableStore, key: string, { offset, bytes }: StoredPart): TableStore {
  return {
    async get(_name, range = { suffix: bytes }) {
      const object = await store.get(key, within(range, offset, bytes))
      return object && { size: bytes, body: object.body }
    },
  }
}

function within(range: ByteRange, offset: number, bytes: number): ByteRange {
  const { start, end } = boundsOf(range, bytes)
  return { offset: offset + start, length: end - start }
}
