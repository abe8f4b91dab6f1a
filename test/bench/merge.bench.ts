/** An image's merge, and the diff of two images, against reading the same tables with hyparquet. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import { joinRows } from '../../src/diff/join.ts'
import { MERGED_ENTRIES } from '../../src/image/merged-entry.ts'
import { writeImage } from '../../src/image/write.ts'
import { imageKey, layerKey } from '../../src/index/keys.ts'
import type { Entry } from '../../src/layer/entry.ts'
import { openTable } from '../../src/table/table.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'
import { imageSource, storeLayer } from '../layers/store.ts'
import { best, line, seconds } from './measure.ts'

const RUNS = 5
const LAYERS = 10

export default async function merge(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lamina-bench-'))
  try {
    const store = new FolderStore(folder)
    const small = await mergeOf(store, 100_000)
    const large = await mergeOf(store, 1_000_000)
    line('ten times the members', { 'times the time': large / small })
    await diffOf(store)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** @returns the best time in seconds */
async function mergeOf(store: FolderStore, members: number): Promise<number> {
  const layers = await Promise.all(
    Array.from({ length: LAYERS }, (_, layer) =>
      storeLayer(store, `${members}-${layer}`, rowsOf(layer, members / LAYERS, 0)),
    ),
  )
  const source = imageSource(`merge ${members}`, layers)
  const ours: number[] = []
  const reference: number[] = []
  for (let run = 0; run < RUNS; run++) {
    reference.push(
      await seconds(async () => {
        for (const { facts } of layers) await readWhole(store, layerKey(facts.digest, 'entries.parquet'))
      }),
    )
    ours.push(await seconds(() => writeImage(store, source)))
  }
  line(`merge of ${members} members in ${LAYERS} layers`, {
    seconds: best(ours),
    hyparquet: best(reference),
    ratio: best(ours) / best(reference),
  })
  return best(ours)
}

async function diffOf(store: FolderStore): Promise<void> {
  const digests = await Promise.all(
    [0, 1_000].map(async (changed) => {
      const name = `diff ${changed}`
      const source = imageSource(name, [await storeLayer(store, name, rowsOf(0, 100_000, changed))])
      await writeImage(store, source)
      return source.index
    }),
  )
  const keys = digests.map((digest) => imageKey(digest, 'files.parquet'))
  const ours: number[] = []
  const reference: number[] = []
  for (let run = 0; run < RUNS; run++) {
    reference.push(
      await seconds(async () => {
        for (const key of keys) await readWhole(store, key)
      }),
    )
    ours.push(
      await seconds(async () => {
        const [from, to] = await Promise.all(keys.map((key) => openTable(store, key, MERGED_ENTRIES)))
        if (from === undefined || to === undefined) throw new Error('no table')
        let changes = 0
        const sides = [from, to].map((table) => ({ batches: table.rows(), start: 0 }))
        for await (const joined of joinRows(sides[0]!, sides[1]!)) changes += joined.changes.length
        if (changes !== 1_000) throw new Error(`${changes} changes`)
      }),
    )
  }
  line('diff of two images of 100,000 files, 1,000 changed', {
    seconds: best(ours),
    hyparquet: best(reference),
    ratio: best(ours) / best(reference),
  })
}

async function readWhole(store: FolderStore, key: string): Promise<void> {
  const object = await store.get(key)
  if (object === undefined) throw new Error(`no ${key}`)
  const file = await new Response(object.body).arrayBuffer()
  await parquetReadObjects({
    file: { byteLength: file.byteLength, slice: (from, to) => file.slice(from, to) },
  })
}

/** Sorted files, a tenth of them below a directory that all layers share; the first `changed` have different content. */
async function* rowsOf(layer: number, count: number, changed: number): AsyncGenerator<readonly Entry[]> {
  const common = { mode: 0o644, uid: 0, gid: 0, mtime: 1.7e15 }
  for (let at = 0; at < count; at += 1_000) {
    yield Array.from({ length: Math.min(1_000, count - at) }, (_, i): Entry => {
      const file = at + i
      const area = file < count / 10 ? 'shared' : `up-${String(layer).padStart(3, '0')}`
      const name = `${String(Math.floor(file / 50)).padStart(6, '0')}\0file-${String(file).padStart(7, '0')}`
      const sha256 = `${file < changed ? 'new' : 'old'} ${area} ${file}`.padEnd(32, '\xfe')
      return {
        key: `${area}\0${name}`,
        type: 'file',
        bytes: 1 + (file % 4_000),
        sha256,
        ...common,
        ordinal: file,
        offset: 1_024 * file,
      }
    })
  }
}
