import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyLayers } from '../../test/layers/apply.ts'
import { imageLayers, tableRows } from '../../test/layers/generate.ts'
import { tries } from '../../test/layers/tries.ts'
import type { Entry } from '../layer/entry.ts'
import { isWithin, parentKey } from '../text/path.ts'
import { collectHardLinks, resolveHardLinks } from './hard-links.ts'
import { type DirectorySum, type HiddenFile, Merger } from './merge.ts'
import type { MergedEntry } from './merged-entry.ts'
import { walk } from './walk.ts'

const RUNS = tries(500, 60_000)

async function merge(layers: readonly (readonly Entry[])[]) {
  const open = () => layers.map((entries) => tableRows(entries))
  const merger = new Merger(await resolveHardLinks(await collectHardLinks(open()), open))
  const rows: MergedEntry[] = []
  const hidden: HiddenFile[] = []
  const directories: DirectorySum[] = []
  const take = () => {
    rows.push(...merger.takeRows())
    hidden.push(...merger.takeHidden())
    directories.push(...merger.takeDirectories())
  }
  for await (const _ of walk(open(), [merger], () => merger.waiting > 5)) take()
  take()
  const waste = hidden.flatMap((file) => merger.wasteOf(file) ?? [])
  return { rows, waste, directories, totals: merger.totals, warnings: merger.warnings.list() }
}

/** What a path shows, with inodes numbered in order of appearance. */
function shown(
  rows: readonly {
    key: string
    entry: Entry | undefined
    layer: number | undefined
    inode: number | undefined
  }[],
) {
  const inodes = new Map<number, number>()
  return rows.map(({ key, entry, layer, inode }) => {
    if (inode !== undefined && !inodes.has(inode)) inodes.set(inode, inodes.size + 1)
    const of = inode === undefined ? undefined : inodes.get(inode)
    if (entry === undefined) return { key, implicit: true }
    const { type, bytes, mode, uid, mtime, sha256, link, ordinal, offset } = entry
    return { key, type, bytes, mode, uid, mtime, sha256, link, ordinal, offset, layer, inode: of }
  })
}

test('merging layers equals applying them one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(imageLayers, async (layers) => {
      const { rows } = await merge(layers)
      const merged = rows.map((row) => ({
        key: row.key,
        entry: row.implicit === true ? undefined : row,
        layer: row.layer,
        inode: row.inode,
      }))
      expect(shown(merged)).toEqual(shown(applyLayers(layers).paths))
    }),
    { numRuns: RUNS },
  )
})

test('anomalies are counted as when applying the layers', async () => {
  await fc.assert(
    fc.asyncProperty(imageLayers, async (layers) => {
      const { anomalies } = applyLayers(layers)
      const expected = [...new Set(anomalies.map(({ code }) => code))].sort().map((code) => {
        const all = anomalies.filter((one) => one.code === code)
        return { code, count: all.length, layer: all[0]?.layer, path: all[0]?.key.replaceAll('\0', '/') }
      })
      expect((await merge(layers)).warnings).toEqual(expected)
    }),
    { numRuns: RUNS },
  )
})

test('a file that no path shows is waste, and what is there now decides the reason', async () => {
  await fc.assert(
    fc.asyncProperty(imageLayers, async (layers) => {
      const { paths } = applyLayers(layers)
      const alive = new Set(paths.map(({ layer, entry }) => `${layer}/${entry?.ordinal}`))
      const last = new Map(paths.map((path) => [path.key, path]))
      const expected = layers.flatMap((entries, layer) =>
        entries
          .filter((entry) => entry.type === 'file' && entry.whiteout === undefined)
          .filter((entry) => !alive.has(`${layer}/${entry.ordinal}`))
          .map(({ key, bytes, sha256 }) => {
            const now = last.get(key)
            const same = now?.entry?.sha256 === sha256
            return {
              key,
              bytes,
              layer,
              reason: now === undefined ? 'removed' : same ? 'metadataOnly' : 'replaced',
            }
          }),
      )
      const found = (await merge(layers)).waste.map(({ key, bytes, layer, reason }) => ({
        key,
        bytes,
        layer,
        reason,
      }))
      const order = (file: object) => JSON.stringify(file)
      expect(found.map(order).sort()).toEqual(expected.map(order).sort())
    }),
    { numRuns: RUNS },
  )
})

test('a wasted file is hidden by the first layer without which some path of it would be shown', async () => {
  await fc.assert(
    fc.asyncProperty(imageLayers, async (layers) => {
      const { waste } = await merge(layers)
      const lost = layers.map((_, top) => {
        const { paths } = applyLayers(layers.slice(0, top + 1))
        return new Set(paths.map(({ layer, entry }) => `${layer}/${entry?.ordinal}`))
      })
      for (const [layer, entries] of layers.entries()) {
        for (const entry of entries) {
          const member = `${layer}/${entry.ordinal}`
          const wasted = waste.filter((file) => file.layer === layer && file.key === entry.key)
          if (entry.key === '' || wasted.length !== 1 || entry.type !== 'file') continue
          if (entries.filter(({ key }) => key === entry.key).length > 1) continue
          let by = layer
          while (lost[by]?.has(member)) by++
          expect(wasted[0]?.byLayer).toBe(by)
        }
      }
    }),
    { numRuns: RUNS },
  )
})

test('directories sum the bytes of the files below them and know the range of their rows', async () => {
  await fc.assert(
    fc.asyncProperty(imageLayers, async (layers) => {
      const { rows, directories, totals } = await merge(layers)
      const sum = (some: readonly MergedEntry[]) => some.reduce((all, row) => all + row.bytes, 0)
      const keys = ['', ...rows.filter((row) => row.type === 'directory').map((row) => row.key)]
      const expected = keys.map((key) => {
        const below = rows.filter((row) => row.key !== key && isWithin(row.key, key))
        const start = key === '' ? 0 : rows.findIndex((row) => row.key === key) + 1
        const files = below.filter((row) => row.type === 'file').length
        return { key, bytes: sum(below), files, start, end: start + below.length }
      })
      expect(directories.toSorted((a, b) => (a.key < b.key ? -1 : 1))).toEqual(expected)
      const files = rows.filter((row) => row.type === 'file')
      const inodes = [...new Map(files.map((row) => [row.inode, row])).values()]
      expect(totals).toEqual({
        rootfsBytes: sum(inodes),
        apparentBytes: sum(rows),
        paths: rows.length,
        files: files.length,
        directories: keys.length - 1,
        symlinks: rows.filter((row) => row.type === 'symlink').length,
      })
    }),
    { numRuns: RUNS },
  )
})

test('visible and wasted bytes add up to all bytes of the layers', async () => {
  await fc.assert(
    fc.asyncProperty(imageLayers, async (layers) => {
      const { totals, waste } = await merge(layers)
      const files = layers.flat().filter((entry) => entry.type === 'file' && entry.whiteout === undefined)
      const fileBytes = files.reduce((sum, { bytes }) => sum + bytes, 0)
      expect(totals.rootfsBytes + waste.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(fileBytes)
    }),
    { numRuns: RUNS },
  )
})

test('every path is in a directory that is listed before it', async () => {
  await fc.assert(
    fc.asyncProperty(imageLayers, async (layers) => {
      const { rows } = await merge(layers)
      const before = new Set([''])
      for (const { key, type } of rows) {
        expect(before.has(parentKey(key))).toBe(true)
        if (type === 'directory') before.add(key)
      }
    }),
    { numRuns: RUNS },
  )
})
