/**
 * IDs of analyses, and the removal of their objects. An ID contains its creation time (UUID version 7, RFC 9562), so the store
 * lists the oldest first and reveals their age without reading them.
 */
import type { ObjectStore } from '../../host.ts'

export const ANALYSES_PREFIX = 'analyses/'
export const LIFE_MILLISECONDS = 3_600_000

/** How many objects one sweep deletes: more than a client can create between two sweeps. */
const SWEPT_AT_ONCE = 200
const SWEEP_MILLISECONDS = 60_000

/** A new ID. */
export function nameNow(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const view = new DataView(bytes.buffer)
  const now = Date.now()
  view.setUint16(0, Math.floor(now / 2 ** 32))
  view.setUint32(2, now % 2 ** 32)
  view.setUint8(6, 0x70 | (view.getUint8(6) & 0x0f))
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f))
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** Creation time of an ID, in milliseconds since 1970. */
function timeOf(name: string): number {
  return Number.parseInt(name.slice(0, 13).replace('-', ''), 16)
}

const sweptAt = new WeakMap<ObjectStore, number>()

/** Deletes the objects of expired analyses, oldest first; runs at most once a minute. */
export async function sweepAnalyses(store: ObjectStore): Promise<void> {
  const now = Date.now()
  if (now - (sweptAt.get(store) ?? 0) < SWEEP_MILLISECONDS) return
  sweptAt.set(store, now)
  const over: string[] = []
  for await (const key of store.list(ANALYSES_PREFIX)) {
    const isOver = now - timeOf(key.slice(ANALYSES_PREFIX.length)) >= LIFE_MILLISECONDS
    if (!isOver || over.length === SWEPT_AT_ONCE) break
    over.push(key)
  }
  for (const key of over) await store.delete(key)
}
