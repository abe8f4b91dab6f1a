import { describe, expect, it } from 'vitest'
import { LIMITS, WASM } from '../../../test/support/blob.ts'
import { buildElf } from '../../../test/support/elf.ts'
import { zipOf } from '../../../test/support/zip.ts'
import { rangesOf, streamed } from '../../inside/ranges.ts'
import { InflateBudget, type Inside, readInside } from '../../open/open-inside.ts'
import { type InsideNode, insideTree } from './inside-tree.ts'

function read(bytes: Uint8Array): Promise<Inside> {
  return readInside(streamed(rangesOf(bytes)), {
    limits: LIMITS,
    wasm: WASM,
    budget: new InflateBudget(LIMITS),
  })
}

/** `name bytes parts [children]` */
function drawn({ key, bytes, parts, children }: InsideNode): string {
  const below = children.length === 0 ? '' : ` [${children.map(drawn).join(', ')}]`
  return `${key.slice(key.lastIndexOf('\0') + 1)} ${bytes} ${parts}${below}`
}

async function treeOf(inside: Inside, below = ''): Promise<string | undefined> {
  const tree = await insideTree(inside, below)
  return tree && drawn(tree)
}

describe('an archive', () => {
  const files = { 'a/one': '1', 'a/b/two': '22', 'a/b/c/three': '333', top: '4444', 'a/b.x': '55555' }

  it('is a tree of directories, largest first, that the archive need not name', async () => {
    const inside = await read(zipOf(files))
    expect(await treeOf(inside)).toBe(
      ' 15 5 [a 11 4 [b 5 2 [c 3 1 [three 3 1], two 2 1], b.x 5 1, one 1 1], top 4 1]',
    )
  })

  it('is shown from one of its directories', async () => {
    const inside = await read(zipOf({ ...files, 'empty/': '' }))
    expect(await treeOf(inside, 'a\0b')).toBe('b 5 2 [c 3 1 [three 3 1], two 2 1]')
    expect(await treeOf(inside, 'empty')).toBe('empty 0 0')
    for (const missing of ['b', 'a\0one', 'a\0b\0two\0x', 'emp'])
      expect(await treeOf(inside, missing)).toBeUndefined()
  })

  it('of many entries has nodes for the largest, and the rest counts', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, at) => [`d/${at % 7}/f${at}`, 'x'.repeat(at % 50)]),
    )
    const tree = await insideTree(await read(zipOf(many)), '')
    const count = (node: InsideNode): number =>
      1 + node.children.reduce((sum, child) => sum + count(child), 0)
    expect(tree && count(tree)).toBe(2_000 + 7 + 2)
    expect(tree && [tree.bytes, tree.parts]).toEqual([122_500, 5_000])
    const [d] = tree?.children ?? []
    expect(d?.children.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(122_500)
  })
})

describe('a program', () => {
  it('has areas, and sections in them', async () => {
    const bytes = (count: number) => new Uint8Array(count)
    const inside = await read(
      buildElf({
        sections: [
          { name: '.text', type: 1, flags: 6, data: bytes(500) },
          { name: '.init', type: 1, flags: 6, data: bytes(20) },
          { name: '.rodata', type: 1, flags: 2, data: bytes(40) },
          { name: '.bss', type: 8, flags: 3, size: 1 << 20 },
        ],
      }),
    )
    expect(await treeOf(inside)).toMatch(
      / \[code 520 2 \[\.text 500 1, \.init 20 1\], headers \d+ 0, readonly 40 1 \[\.rodata 40 1\], other /,
    )
    expect(await treeOf(inside, 'code')).toBe('code 520 2 [.text 500 1, .init 20 1]')
    expect(await treeOf(inside, 'data')).toBeUndefined()
  })
})
