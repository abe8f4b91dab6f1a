/** Exports of random layers, read back and compared with the merged table and with layers applied one by one. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { applyLayers } from '../../test/layers/apply.ts'
import { imageLayers } from '../../test/layers/generate.ts'
import { imageSource } from '../../test/layers/store.ts'
import { tries } from '../../test/layers/tries.ts'
import { LIMITS, WASM } from '../../test/support/blob.ts'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { scanTar } from '../../test/support/scan-tar.ts'
import type { ImageLayer } from '../image/facts.ts'
import { MERGED_ENTRIES, type MergedEntry } from '../image/merged-entry.ts'
import { writeImage } from '../image/write.ts'
import { imageKey } from '../index/keys.ts'
import { indexLayer } from '../index/layer-index.ts'
import type { Entry } from '../layer/entry.ts'
import { readLayer } from '../layer/read.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { openTable, type Table } from '../table/table.ts'
import { contentPadding, END_OF_ARCHIVE, memberHeader, type WrittenType } from '../tar/write.ts'
import { isWithin, keyToPath, pathToKey } from '../text/path.ts'
import { filesWithin, type Rootfs, writeRootfs } from './rootfs.ts'

const IMPLICIT_TIME = 1_700_000_000_000_000

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Blob([Uint8Array.from(bytes)]).stream()
}

/** A layer's tar; each file's content derives from its digest in the generator, so equal digests give equal contents. */
function tarOf(entries: readonly Entry[]): Uint8Array {
  const parts = entries.flatMap(({ key, type, bytes, sha256 = '', ...fields }) => {
    const content = Buffer.alloc(bytes, sha256.slice(0, 1) || 'x', 'latin1')
    const member = { ...fields, path: keyToPath(key) || '.', type: type as WrittenType, bytes }
    return [memberHeader(member), content, contentPadding(bytes)]
  })
  return Buffer.concat([...parts, END_OF_ARCHIVE])
}

type Analysed = Omit<Rootfs, 'rows'> & { readonly files: Table<MergedEntry> }

async function analyse(tars: readonly Uint8Array[]) {
  const store = new MemoryStore()
  const blobs = new Map<string, Uint8Array>()
  const layers: ImageLayer[] = []
  const asked: string[] = []
  for (const tar of tars) {
    const digest = `sha256:${createHash('sha256').update(tar).digest('hex')}`
    const descriptor: Descriptor = {
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest,
      size: tar.length,
    }
    blobs.set(digest, tar)
    const facts = await indexLayer(store, digest, (sinks) =>
      readLayer(streamOf(tar), { descriptor, limits: LIMITS, wasm: WASM, ...sinks }),
    )
    layers.push({ descriptor, facts, index: digest, verified: 'content' })
  }
  const source = { ...imageSource('an image', layers), wasm: WASM }
  await writeImage(store, source)
  const files = await openTable(store, imageKey(source.index, 'files.parquet'), MERGED_ENTRIES)
  if (files === undefined) throw new Error('no table of files')
  const rootfs: Analysed = {
    store,
    limits: LIMITS,
    wasm: WASM,
    files,
    layers: layers.map(({ descriptor }) => descriptor),
    openBlob: async ({ digest }) => {
      asked.push(digest)
      return streamOf(blobs.get(digest) ?? new Uint8Array(0))
    },
    implicitTime: IMPLICIT_TIME,
  }
  return { store, rootfs, blobs, asked }
}

async function exported({ files, ...rootfs }: Analysed, within = '') {
  const pieces = await Array.fromAsync(writeRootfs({ ...rootfs, rows: filesWithin(files, within) }, ''))
  return scanTar(Buffer.concat([...pieces, END_OF_ARCHIVE]))
}

test('the tar equals the result of applying the layers in order', async () => {
  await fc.assert(
    fc.asyncProperty(imageLayers, fc.constantFrom('', 'a', 'b/a', '-d'), async (layers, at) => {
      const within = pathToKey(at)
      const { rootfs, store } = await analyse(layers.map(tarOf))
      const want = applyLayers(layers).paths.filter(({ key }) => isWithin(key, within))
      if (want.length === 0 && at !== '') {
        await expect(exported(rootfs, within)).rejects.toMatchObject({ code: 'path_not_found' })
        return
      }
      const found = await exported(rootfs, within)
      const places = new Map(found.map(({ member }, place) => [member.key, place]))
      expect(places.size).toBe(found.length)
      expect([...places.keys()].sort()).toStrictEqual(want.map(({ key }) => key).sort())
      const targets = new Map<number, string>()
      for (const { key, entry, inode } of want) {
        const place = places.get(key) ?? -1
        const { member, content } = found[place] ?? expect.fail(`${key} is missing`)
        if (entry === undefined) {
          expect(member).toMatchObject({
            type: 'directory',
            mode: 0o755,
            uid: 0,
            gid: 0,
            mtime: IMPLICIT_TIME,
          })
          continue
        }
        const { type, mode, uid, gid, mtime, bytes, sha256 = '' } = entry
        expect(member).toMatchObject({ mode, uid, gid, mtime })
        if (member.type === 'hardlink') {
          const target = places.get(pathToKey(member.link ?? '')) ?? expect.fail(`${key} links to nothing`)
          expect(target).toBeLessThan(place)
          expect(found[target]?.member.key).toBe(targets.get(inode ?? -1))
        } else {
          expect(member.type).toBe(type)
          if (inode !== undefined) targets.set(inode, key)
          expect(content).toBe(type === 'file' ? (sha256.slice(0, 1) || 'x').repeat(bytes) : '')
        }
      }
      expect(found.findLastIndex(({ member }) => member.type === 'directory')).toBeLessThan(
        found.findIndex(({ member }) => member.type !== 'directory') +
          (found.every(({ member }) => member.type === 'directory') ? found.length + 1 : 0),
      )
      expect(await Array.fromAsync(store.list('temporary/'))).toStrictEqual([])
    }),
    { numRuns: tries(150, 10_000) },
  )
})

const FILE: Entry = {
  key: 'f',
  type: 'file',
  bytes: 4,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0,
  ordinal: 0,
  offset: 0,
}

describe('layers', () => {
  it('are read only if one of their files is visible', async () => {
    const { rootfs, asked } = await analyse([
      tarOf([FILE]),
      tarOf([{ ...FILE, bytes: 8 }]),
      tarOf([{ ...FILE, key: 'd', type: 'directory', bytes: 0 }]),
    ])
    await exported(rootfs)
    expect(asked).toStrictEqual([rootfs.layers[1]?.digest])
  })

  it('that differ from what was indexed abort the export', async () => {
    const { rootfs, blobs } = await analyse([tarOf([{ ...FILE, bytes: 3000 }])])
    const [layer] = rootfs.layers
    const blob = Buffer.from(blobs.get(layer?.digest ?? '') ?? [])
    blob[blob.length - 3000] = 0x41
    const lying = { ...rootfs, openBlob: async () => streamOf(blob) }
    await expect(exported(lying)).rejects.toMatchObject({ code: 'invalid_image' })
  })

  it('that lack a member abort the export', async () => {
    const { rootfs } = await analyse([
      tarOf([FILE, { ...FILE, key: 'g' }, { ...FILE, key: 'h', type: 'hardlink', bytes: 0, link: 'g' }]),
    ])
    const short = tarOf([FILE])
    const lying = { ...rootfs, openBlob: async () => streamOf(short) }
    await expect(exported(lying)).rejects.toMatchObject({ code: 'invalid_image' })
  })

  it('are not read further once the reader leaves', async () => {
    const { files, ...rootfs } = (await analyse([tarOf([{ ...FILE, bytes: 3_000_000 }])])).rootfs
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(tarOf([{ ...FILE, bytes: 3_000_000 }]).subarray(0, 600_000)),
      cancel: () => {
        cancelled = true
      },
    })
    const left = { ...rootfs, rows: filesWithin(files, ''), openBlob: async () => endless }
    const pieces = writeRootfs(left, '')
    await pieces.next()
    await pieces.next()
    await pieces.return(undefined)
    expect(cancelled).toBe(true)
  })
})

test('hard links to a name that a later layer hides link to the first remaining name', async () => {
  const { rootfs } = await analyse([
    tarOf([
      FILE,
      { ...FILE, key: 'y', type: 'hardlink', bytes: 0, link: 'f' },
      { ...FILE, key: 'z', type: 'hardlink', bytes: 0, link: 'f' },
    ]),
    tarOf([{ ...FILE, key: '.wh.f', bytes: 0 }]),
  ])
  const found = await exported(rootfs)
  expect(
    found.map(({ member: { key, type, link }, content }) => ({ key, type, link, content })),
  ).toStrictEqual([
    { key: 'y', type: 'file', link: undefined, content: 'xxxx' },
    { key: 'z', type: 'hardlink', link: 'y', content: '' },
  ])
})

test('an empty image is an empty tar', async () => {
  const { rootfs } = await analyse([END_OF_ARCHIVE])
  expect(await exported(rootfs)).toStrictEqual([])
})
