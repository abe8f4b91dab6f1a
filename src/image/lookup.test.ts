import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyLayers } from '../../test/layers/apply.ts'
import { imageLayers } from '../../test/layers/generate.ts'
import { storeImage } from '../../test/layers/store.ts'
import { tries } from '../../test/layers/tries.ts'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { ENTRIES } from '../index/entries.ts'
import { layerKey } from '../index/keys.ts'
import { type Entry, whiteoutOf } from '../layer/entry.ts'
import { Problem } from '../problem.ts'
import { openTable } from '../table/table.ts'
import { findMember } from './lookup.ts'

async function finder(layers: readonly (readonly Entry[])[]) {
  const store = new MemoryStore()
  const stored = await storeImage(store, layers)
  const open = async (layer: number) => {
    const digest = stored.layers[layer]?.descriptor.digest ?? ''
    const table = await openTable(store, layerKey(digest, 'entries.parquet'), ENTRIES)
    if (table === undefined) throw new Error(`no table of layer ${layer}`)
    return table
  }
  return (layer: number, path: string) => findMember(open, layer, path.replaceAll('/', '\0'))
}

/** `f=1` is a file with the content 1, `h>f` a hard link, `s->f` a symbolic one, `d/` a directory; whiteouts by their names. */
function layerOf(...members: readonly string[]): Entry[] {
  return members.map((text, ordinal) => {
    const [, path = '', how, rest = ''] = /^([^=>]*?)(->|=|>|\/$|$)(.*)$/.exec(text) ?? []
    const key = path.replaceAll('/', '\0')
    const types: Record<string, Entry['type']> = {
      '=': 'file',
      '>': 'hardlink',
      '->': 'symlink',
      '/': 'directory',
    }
    const type = types[how ?? ''] ?? 'file'
    return {
      key,
      type,
      bytes: type === 'file' ? rest.length : 0,
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: 0,
      ordinal,
      offset: ordinal,
      ...(type === 'file' ? { sha256: rest.padEnd(32, '.') } : { link: rest }),
      ...(whiteoutOf(key) === undefined ? {} : { whiteout: whiteoutOf(key) }),
    }
  })
}

describe('a hard link in a layer is what its target was when the link was created', () => {
  test.each<[string, string[][], string, number | undefined, string]>([
    ['nothing: the file of the same name stays', [['h=1', 'h>none', 'h>void']], 'h', 0, '1'],
    ['a target in the same layer', [['f=1', 'h>f']], 'h', 0, '1'],
    ['a target in a lower layer', [['f=1'], ['h>f']], 'h', 0, '1'],
    ['a link to a link in the layer below', [['f=1', 'g>f'], ['h>g']], 'h', 0, '1'],
    ['a link to a link to a lower file', [['f=1'], ['g>f', 'h>g']], 'h', 0, '1'],
    ['a target replaced after the link in the same tar', [['f=1', 'h>f', 'f=2']], 'h', 0, '1'],
    ['a target replaced in the layer before the link', [['f=1'], ['f=2', 'h>f']], 'h', 1, '2'],
    [
      'a target in a lower layer, replaced after the link in its layer',
      [['f=1'], ['h>f', 'f=2']],
      'h',
      0,
      '1',
    ],
    ['a target whited out in between', [['f=1'], ['.wh.f'], ['h>f']], 'h', undefined, ''],
    ['a target whited out and recreated', [['f=1'], ['.wh.f', 'f=3'], ['h>f']], 'h', 1, '3'],
    [
      'a target in a directory that was made opaque',
      [['d/f=1'], ['d/.wh..wh..opq', 'h>d/f']],
      'h',
      undefined,
      '',
    ],
    ['a target that comes later', [['h>f', 'f=1']], 'h', undefined, ''],
    [
      'a link to a symbolic link',
      [
        ['f=1', 's->f'],
        ['f=2', 'h>s'],
      ],
      'h',
      1,
      '2',
    ],
    ['a link that a later layer replaces', [['f=1'], ['h>f'], ['h=9', 'f=8']], 'h', 0, '1'],
  ])('%s', async (_, layers, path, layer, content) => {
    const at = layers.findLastIndex((members) => members.some((text) => text.startsWith('h>')))
    const find = await finder(layers.map((members) => layerOf(...members)))
    const found = find(at, path)
    if (layer === undefined) await expect(found).rejects.toMatchObject({ code: 'path_not_found' })
    else expect(await found).toMatchObject({ layer, bytes: content.length, sha256: content.padEnd(32, '.') })
  })
})

test("a layer's links show what a container of the layers up to it shows", async () => {
  await fc.assert(
    fc.asyncProperty(imageLayers, async (layers) => {
      const find = await finder(layers)
      for (const [layer, entries] of layers.entries()) {
        const shown = new Map(applyLayers(layers.slice(0, layer + 1)).paths.map((path) => [path.key, path]))
        for (const { key, type, ordinal } of entries) {
          const last = entries.findLast((entry) => entry.key === key && entry.whiteout === undefined)
          const path = shown.get(key)
          if (type !== 'hardlink' || last?.ordinal !== ordinal || path?.entry?.type !== 'file') continue
          const found = await find(layer, key).catch((error: unknown) => error)
          // A dangling link leaves what was there before.
          if (found instanceof Problem) continue
          const { bytes, sha256 } = path.entry
          expect(found).toMatchObject({ layer: path.layer, bytes, sha256 })
        }
      }
    }),
    { numRuns: tries(100, 3_000) },
  )
})
