/** The source of a lake: the folder of a service, or copies of its objects that are stored elsewhere. */
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { inParallel } from '../../src/concurrency.ts'
import type { ObjectStore } from '../../src/host.ts'
import { Failure } from '../failure.ts'

const COPIED_AT_ONCE = 16

export interface LakeSource {
  keys(prefix: string): AsyncIterable<string>
  /** @returns the file of each of these objects, in their order; valid until the next commit */
  files(keys: readonly string[]): Promise<readonly string[]>
}

/** Objects that are already files. */
export function folderSource(folder: string, store: ObjectStore): LakeSource {
  return {
    keys: (prefix) => store.list(prefix),
    files: async (keys) => keys.map((key) => join(folder, key)),
  }
}

/** @param temporary where objects are copied to */
export function copiedSource(store: ObjectStore, temporary: string): LakeSource {
  return {
    keys: (prefix) => store.list(prefix),
    files: (keys) => inParallel(keys, COPIED_AT_ONCE, (key) => copy(store, key, join(temporary, key))),
  }
}

async function copy(store: ObjectStore, key: string, file: string): Promise<string> {
  const object = await store.get(key)
  if (object === undefined)
    throw new Failure('store_error', `${key} was removed meanwhile; run the command again`)
  await mkdir(dirname(file), { recursive: true })
  await pipeline(Readable.from(object.body), createWriteStream(file))
  return file
}
