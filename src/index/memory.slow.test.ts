/** Whether the memory budgets hold: each case is a process that dies if they do not. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const LONG = process.env.LAMINA_LONG === '1'
const MB = 1e6
/** Smaller than the budget of 48 MiB, so that fewer entries are enough to test it. */
const HEAP_MEBIBYTES = 32

/** @returns its peak of array buffers, in bytes */
async function peakOf(
  script: string,
  args: readonly (string | number)[],
  heapMebibytes = HEAP_MEBIBYTES,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'lamina-memory-'))
  const path = fileURLToPath(new URL(`../../test/memory/${script}`, import.meta.url))
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [
      `--max-old-space-size=${heapMebibytes}`,
      '--max-semi-space-size=2',
      path,
      folder,
      ...args.map(String),
    ])
    return Number(stdout)
  } finally {
    await rm(folder, { recursive: true })
  }
}

// A fifth of a million entries does not fit into that heap in any form.
test.each(['sorted', 'shuffled'])(
  'a layer of many entries, %s, is indexed in bounded memory',
  async (order) => {
    const peak = await peakOf('index-layer.ts', [LONG ? 2_000_000 : 200_000, order])
    expect(peak).toBeGreaterThan(MB)
    expect(peak).toBeLessThan(48 * MB)
  },
  600_000,
)

test('names of 4,000 bytes need no more memory', async () => {
  const peak = await peakOf('index-layer.ts', [LONG ? 60_000 : 15_000, 'shuffled', 3900], 40)
  expect(peak).toBeLessThan(48 * MB)
}, 600_000)

test('more than a hundred tables are read at once in bounded memory', async () => {
  const peak = await peakOf('read-tables.ts', [127, LONG ? 1_000_000 : 300_000])
  expect(peak).toBeGreaterThan(MB)
  expect(peak).toBeLessThan(50 * MB)
}, 600_000)
