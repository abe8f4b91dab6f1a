import { createHash } from 'node:crypto'
import { applyPatch, structuredPatch } from 'diff'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Problem } from '../problem.ts'
import { diffTextFiles, type FileSource, formatTextDiff, type Hunk, type TextDiff } from './text.ts'

const sources: { cancelled: boolean; opened: boolean }[] = []

/** A file whose bytes arrive in small chunks. */
function file(
  content: string | Uint8Array,
  chunkBytes = 1_000,
): FileSource & { readonly opened: () => boolean } {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const state = { opened: false, cancelled: false }
  sources.push(state)
  let at = 0
  return {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    opened: () => state.opened,
    open: async () => {
      state.opened = true
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          if (at >= bytes.length) return controller.close()
          controller.enqueue(bytes.slice(at, at + chunkBytes))
          at += chunkBytes
        },
        cancel() {
          state.cancelled = true
        },
      })
    },
  }
}

const diffFiles = async (...asked: Parameters<typeof diffTextFiles>): Promise<TextDiff> =>
  (await diffTextFiles(...asked)).diff
const patchOf = (found: TextDiff) => String(formatTextDiff({ diff: found, encoding: 'utf-8' }))

const diff = async (from: string | undefined, to: string | undefined, context = 3): Promise<TextDiff> =>
  diffFiles(
    {
      path: 'etc/x.conf',
      from: from === undefined ? undefined : file(from),
      to: to === undefined ? undefined : file(to),
    },
    { context },
  )

/** Applies hunks at exactly the line numbers they state. */
function patched(from: string, hunks: readonly Hunk[]): string {
  const before = from.match(/[^\n]*\n|[^\n]+$/g) ?? []
  const after: string[] = []
  let at = 0
  for (const hunk of hunks) {
    const start = hunk.fromLines === 0 ? hunk.fromStart : hunk.fromStart - 1
    after.push(...before.slice(at, start))
    expect(hunk.toLines === 0 ? hunk.toStart : hunk.toStart - 1).toBe(after.length)
    const [fromLines, toLines] = [sideOf(hunk, ' -'), sideOf(hunk, ' +')]
    expect(before.slice(start, start + hunk.fromLines)).toEqual(fromLines)
    expect(toLines).toHaveLength(hunk.toLines)
    after.push(...toLines)
    at = start + hunk.fromLines
  }
  return [...after, ...before.slice(at)].join('')
}

function sideOf({ lines }: Hunk, marks: string): string[] {
  return lines.flatMap((line, i) => {
    if (!marks.includes(line.slice(0, 1))) return []
    return lines[i + 1]?.startsWith('\\') ? [line.slice(1)] : [`${line.slice(1)}\n`]
  })
}

const lines = (n: number, text = (i: number): string => `line ${i}`): string =>
  Array.from({ length: n }, (_, i) => `${text(i)}\n`).join('')

describe('a unified diff', () => {
  test('of one changed line', async () => {
    const found = await diff(lines(9), lines(9).replace('line 4', 'changed'), 1)
    expect(found.hunks).toEqual([
      {
        fromStart: 4,
        fromLines: 3,
        toStart: 4,
        toLines: 3,
        lines: [' line 3', '-line 4', '+changed', ' line 5'],
      },
    ])
    expect(patchOf(found)).toMatch(
      /^--- a\/etc\/x\.conf\tsha256:[0-9a-f]{64} 63 bytes\n\+\+\+ b\/etc\/x\.conf\tsha256:[0-9a-f]{64} 64 bytes\n@@ -4,3 \+4,3 @@\n line 3\n-line 4\n\+changed\n line 5\n$/,
    )
  })

  test('of a file that exists in only one image', async () => {
    const added = await diff(undefined, 'a\nb')
    expect(added.hunks).toEqual([
      {
        fromStart: 0,
        fromLines: 0,
        toStart: 1,
        toLines: 2,
        lines: ['+a', '+b', '\\ No newline at end of file'],
      },
    ])
    expect(patchOf(added)).toContain('--- /dev/null\n+++ b/etc/x.conf')
    expect(patchOf(await diff('a\n', undefined))).toContain('\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n')
  })

  test('of equal contents is empty, and reads nothing', async () => {
    const [from, to] = [file('a\n'), file('a\n')]
    const found = await diffFiles({ path: 'x', from, to })
    expect(found).toMatchObject({ identical: true, binary: false, hunks: [] })
    expect(patchOf(found)).toBe('')
    expect([from.opened(), to.opened()]).toEqual([false, false])
  })

  test('a name cannot break its line', async () => {
    const found = await diffFiles({ path: 'a\n+++ b\x1b[31m', from: file('a'), to: file('b') })
    expect(patchOf(found).split('\n').slice(0, 2).join('|')).toMatch(
      /^--- "a\/a\\n\+\+\+ b\\033\[31m"\t[^|]*\|\+\+\+ "b\/a\\n\+\+\+ b\\033\[31m"\t/,
    )
  })

  test('applied to one side gives the other, generated', async () => {
    const text = fc
      .array(fc.constantFrom('a\n', 'b\n', '\n', 'a\r\n', ' a\n', '-a\n', '\\ x\n'), { maxLength: 12 })
      .chain((all) => fc.constantFrom(all.join(''), `${all.join('')}end`))
    await fc.assert(
      fc.asyncProperty(text, text, fc.constantFrom(0, 1, 3, 100), async (from, to, context) => {
        const { hunks } = await diff(from, to, context)
        expect(patched(from, hunks)).toBe(to)
        // The fewest lines that the library finds.
        const patch = structuredPatch('', '', from, to, '', '', { context })
        const edits = (all: readonly { readonly lines: readonly string[] }[]) =>
          all.flatMap((hunk) => hunk.lines).filter((line) => /^[-+]/.test(line)).length
        expect(edits(hunks)).toBe(edits(patch.hunks))
      }),
      { numRuns: process.env.LAMINA_LONG ? 50_000 : 1_000 },
    )
  })
})

describe('texts that are far apart', () => {
  test.each([
    ['in many lines', lines(5_000, (i) => `from ${i}`), lines(5_000, (i) => `to ${i}`)],
    [
      'that take too many steps',
      lines(50_000, (i) => `${i % 7}`),
      lines(50_000, (i) => `${(i * i) % 7} ${i % 10 ? '' : i}`.trim()),
    ],
  ])('%s are replaced completely', async (_, from, to) => {
    for (const context of [0, 2]) {
      const [head, tail] = ['same 1\nsame 2\nsame 3\n', 'same 4\nsame 5\nsame 6']
      const found = await diff(head + from + tail, head + to + tail, context)
      expect(found.coarse).toBe(true)
      expect(found.hunks).toHaveLength(1)
      expect(patched(head + from + tail, found.hunks)).toBe(head + to + tail)
      expect(patchOf(found).split('\n')[0]).toContain('too many places')
      expect(applyPatch(head + from + tail, patchOf(found))).toBe(head + to + tail)
    }
  })

  test('the event loop serves others during the comparison', async () => {
    let turns = 0
    const beat = setInterval(() => turns++)
    await diff(
      lines(40_000, (i) => `${i % 7}`),
      lines(40_000, (i) => `${(i * i) % 7}`),
    )
    clearInterval(beat)
    expect(turns).toBeGreaterThan(1)
  })

  test('a long file with one added line is not', async () => {
    const found = await diff('\n'.repeat(600_000), `${'\n'.repeat(300_000)}x\n${'\n'.repeat(300_000)}`)
    expect(found).toMatchObject({ coarse: false, hunks: [{ fromLines: 6, toLines: 7 }] })
    expect(patchOf(found)).toMatch(/^--- a/)
  })

  test('a long file that is new is not', async () => {
    const found = await diff(undefined, lines(60_000))
    expect(found).toMatchObject({
      coarse: false,
      hunks: [{ fromStart: 0, fromLines: 0, toStart: 1, toLines: 60_000 }],
    })
  })
})

describe('content that is not text', () => {
  test('a NUL among the first bytes makes a file of any size binary', async () => {
    const content = new Uint8Array(3_000_000).fill(65)
    content[7_999] = 0
    const [from, to] = [file('text\n'), file(content)]
    const found = await diffFiles({ path: 'usr/bin/x', from, to })
    expect(found).toEqual({
      path: 'usr/bin/x',
      from: { sha256: from.sha256, bytes: 5 },
      to: { sha256: to.sha256, bytes: 3_000_000 },
      identical: false,
      binary: true,
      coarse: false,
      hunks: [],
    })
    const text = patchOf(found)
    for (const part of [from.sha256, to.sha256, '5 bytes', '3000000 bytes', 'Binary files differ\n']) {
      expect(text).toContain(part)
    }
    expect(sources.at(-1)?.cancelled).toBe(true)
  })

  test('a text of more than 1 MiB is too large', async () => {
    const large = diffFiles({ path: 'x', from: file('a\n'), to: file('a'.repeat(1_048_577)) })
    await expect(large).rejects.toThrow(/1048577 bytes; text diffs are limited to 1048576 bytes/)
    await expect(large).rejects.toMatchObject({ code: 'too_large' } satisfies Partial<Problem>)
    expect(sources.at(-1)?.cancelled).toBe(true)
    expect((await diff('a\n', 'a'.repeat(1_048_576))).hunks).toHaveLength(1)
  })

  test('different bytes that are not UTF-8 stay different', async () => {
    const found = await diffFiles({
      path: 'x',
      from: file(Uint8Array.of(0xe9, 0x0a)),
      to: file(Uint8Array.of(0xe8, 0x0a)),
    })
    expect(found.hunks[0]?.lines).toEqual(['-é', '+è'])
  })

  test('if one side cannot be read, the other is closed', async () => {
    const broken: FileSource = {
      ...file('b'),
      open: () => Promise.reject(new Problem('registry_error', 'gone')),
    }
    await expect(diffFiles({ path: 'x', from: file('a'.repeat(5_000)), to: broken })).rejects.toThrow('gone')
  })
})
