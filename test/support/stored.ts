/** What a store holds, for tests that compare: digests of its objects by their keys. */
import { createHash } from 'node:crypto'
import type { ObjectStore } from '../../src/host.ts'

/** Objects derived from layers and images, which must be the same wherever and however often they are made. */
const INDEX = ['images/', 'layers/']

/** Sorted by key, so that two of them can be compared as a whole. */
export type Stored = Readonly<Record<string, string>>

export async function storedIndex(store: ObjectStore, prefixes: readonly string[] = INDEX): Promise<Stored> {
  const digests: [string, string][] = []
  for (const prefix of prefixes) {
    for await (const key of store.list(prefix)) {
      const hash = createHash('sha256')
      for await (const chunk of (await store.get(key))?.body ?? []) hash.update(chunk)
      digests.push([key, hash.digest('hex')])
    }
  }
  return Object.fromEntries(digests.sort())
}

/** Copies every object of one store into the other. */
export async function copyObjects(from: ObjectStore, to: ObjectStore): Promise<void> {
  for await (const key of from.list('')) {
    const object = await from.get(key)
    if (object !== undefined) await to.put(key, await new Response(object.body).bytes())
  }
}

export async function keysOf(store: ObjectStore, prefix = ''): Promise<readonly string[]> {
  return Array.fromAsync(store.list(prefix))
}
