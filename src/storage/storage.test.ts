import { describe, expect, it } from 'vitest'
import { Problem } from '../problem.ts'
import { Ledger } from './ledger.ts'
import { reclaimOf, sharingGroups, storageItems, storageTotal } from './storage.ts'

type Given = { readonly blobs: readonly string[]; readonly created?: string; readonly same?: string }

/** A blob is named by a letter and its size: `a10`. Each tag has a manifest of one byte, unless it is the `same` as another. */
function ledgerOf(tags: Readonly<Record<string, Given | Problem>>): Ledger {
  const ledger = new Ledger(Object.keys(tags))
  for (const [name, given] of Object.entries(tags)) {
    if (given instanceof Problem) {
      ledger.tags.set(name, { problem: given })
      continue
    }
    const digest = `manifest ${given.same ?? name}`
    const contents = [
      ledger.numberOf(digest, 1, 'manifest'),
      ...given.blobs.map((blob) => ledger.numberOf(blob, Number(blob.slice(1)), 'blob')),
    ]
    ledger.tags.set(name, { digest, contents: Int32Array.from(contents), created: given.created })
  }
  return ledger
}

const day = (n: number) => ({ created: `2024-01-${String(n).padStart(2, '0')}T00:00:00Z` })
const broken = new Problem('image_not_found', 'gone')

const REPOSITORY = {
  v9: { blobs: ['a100', 'b20'], ...day(2) },
  v10: { blobs: ['a100', 'c30'], ...day(3) },
  latest: { blobs: ['a100', 'c30'], ...day(3), same: 'v10' },
  old: { blobs: ['d5'], ...day(1) },
  undated: { blobs: ['e7'] },
  lost: broken,
}

describe('what tags store', () => {
  it('counts each manifest and blob once, and says what each tag has alone', () => {
    const ledger = ledgerOf(REPOSITORY)
    expect(storageTotal(ledger)).toEqual({ tags: 6, manifests: 4, blobs: 5, bytes: 166, complete: false })
    expect(storageItems(ledger, '-uniqueBytes')).toEqual([
      { name: 'v9', digest: 'manifest v9', bytes: 121, uniqueBytes: 21, sharedBytes: 100, ...day(2) },
      { name: 'undated', digest: 'manifest undated', bytes: 8, uniqueBytes: 8, sharedBytes: 0 },
      { name: 'old', digest: 'manifest old', bytes: 6, uniqueBytes: 6, sharedBytes: 0, ...day(1) },
      { name: 'latest', digest: 'manifest v10', bytes: 131, uniqueBytes: 0, sharedBytes: 131, ...day(3) },
      { name: 'v10', digest: 'manifest v10', bytes: 131, uniqueBytes: 0, sharedBytes: 131, ...day(3) },
      { name: 'lost', problem: broken },
    ])
  })

  it.each([
    ['-bytes', ['latest', 'v10', 'v9', 'undated', 'old', 'lost']],
    ['created', ['latest', 'v10', 'v9', 'old', 'undated', 'lost']],
    ['name', ['latest', 'old', 'undated', 'v9', 'v10', 'lost']],
  ] as const)('sorts by %s, with problems last', (sort, names) => {
    expect(storageItems(ledgerOf(REPOSITORY), sort).map(({ name }) => name)).toEqual(names)
  })
})

describe('what a deletion frees', () => {
  const freed = (given: Parameters<typeof reclaimOf>[1]) => reclaimOf(ledgerOf(REPOSITORY), given)
  const named = (...names: readonly string[]) => ({ matches: (name: string) => names.includes(name) })

  it('is what no tag that stays needs', () => {
    expect(freed(named('v9'))).toEqual({ tags: ['v9'], manifests: 1, blobs: 1, bytes: 21 })
    expect(freed(named('v10'))).toEqual({ tags: ['v10'], manifests: 0, blobs: 0, bytes: 0 })
    expect(freed(named('v9', 'v10', 'latest'))).toEqual({
      tags: ['latest', 'v9', 'v10'],
      manifests: 2,
      blobs: 3,
      bytes: 152,
    })
  })

  it('never deletes a tag that could not be read', () => {
    expect(freed(named('lost')).tags).toEqual([])
  })

  it('keeps the newest digests with all their tags, and what has no date', () => {
    const all = { matches: () => true }
    expect(freed({ ...all, keep: 1 }).tags).toEqual(['old', 'v9'])
    expect(freed({ ...all, keep: 2 }).tags).toEqual(['old'])
    expect(freed({ ...all, keep: 9 }).tags).toEqual([])
    expect(freed({ ...named('old', 'v9'), keep: 1 }).tags).toEqual(['old'])
  })

  it('takes the later name for the newer one of a time', () => {
    const ledger = ledgerOf({ v9: { blobs: [], ...day(1) }, v10: { blobs: [], ...day(1) } })
    expect(reclaimOf(ledger, { matches: () => true, keep: 1 }).tags).toEqual(['v9'])
  })
})

it('contents of the same tags are one group', () => {
  const ledger = ledgerOf(REPOSITORY)
  const items = storageItems(ledger, 'name')
  const groups = sharingGroups(ledger, items).map(({ tags, bytes }) => ({
    tags: tags.map((place) => items[place]?.name).join(),
    bytes,
  }))
  expect(groups.sort((a, b) => b.bytes - a.bytes)).toEqual([
    { tags: 'latest,v9,v10', bytes: 100 },
    { tags: 'latest,v10', bytes: 31 },
    { tags: 'v9', bytes: 21 },
    { tags: 'undated', bytes: 8 },
    { tags: 'old', bytes: 6 },
  ])
})

it('a ledger refuses more contents than it has room for', () => {
  const ledger = new Ledger([])
  expect(() => {
    for (let n = 0; n < 60_000; n++) ledger.numberOf(`${n}`, 1, 'blob')
  }).toThrow(expect.objectContaining({ code: 'too_large' }))
})
