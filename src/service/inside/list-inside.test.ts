import { expect, test } from 'vitest'
import type { ArchiveInside } from '../../open/open-inside.ts'
import { type InsideSort, listInside } from './list-inside.ts'

const SIZES = [3, 9, 1, 9, 5]

/** A zip of which is counted how often an entry is read. */
function counted(): { readonly inside: ArchiveInside; readonly reads: () => number } {
  let reads = 0
  const key = (index: number) => `${SIZES.length - index}`
  const at = (index: number) => {
    reads++
    return { key: key(index), type: 'file', bytes: SIZES[index] ?? 0, storedBytes: index } as const
  }
  const entries = { count: SIZES.length, memoryBytes: 0, key, at }
  return { inside: { kind: 'zip', compression: 'none', entries, warnings: [] }, reads: () => reads }
}

async function page(inside: ArchiveInside, sort: InsideSort | undefined, start?: number): Promise<string> {
  const show = { entry: ({ key }: { readonly key: string }) => key, section: () => '' }
  return (await listInside(inside, { sort }, show).page(start, 2)).items.join('')
}

test('pages of one order after the other are right, and equals stay in the order of the archive', async () => {
  const { inside } = counted()
  for (const [sort, pages] of [
    [undefined, ['54', '32', '1']],
    ['-bytes', ['42', '15', '3']],
    ['path', ['12', '34', '5']],
    ['-storedBytes', ['12', '34', '5']],
    ['-bytes', ['42', '15', '3']],
  ] as const) {
    const found = [await page(inside, sort), await page(inside, sort, 2), await page(inside, sort, 4)]
    expect(found).toEqual(pages)
  }
})

test('a page of the same order does not sort again', async () => {
  const { inside, reads } = counted()
  await page(inside, '-bytes')
  expect(reads()).toBe(SIZES.length + 2)
  await page(inside, '-bytes', 2)
  expect(reads()).toBe(SIZES.length + 4)
})
