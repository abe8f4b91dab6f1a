/** Whether the memory budget holds: each case is a process that dies if it does not. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const FILES = process.env.LAMINA_LONG ? 1_000_000 : 100_000
const SCRIPT = fileURLToPath(new URL('../../test/memory/diff-images.ts', import.meta.url))

test.each(['few', 'all'])(
  'two images of many files, of which %s differ, are joined and listed in bounded memory',
  async (differing) => {
    const folder = await mkdtemp(join(tmpdir(), 'lamina-memory-'))
    try {
      const run = promisify(execFile)
      const { stdout } = await run(process.execPath, [
        '--max-old-space-size=48',
        SCRIPT,
        folder,
        String(FILES),
        differing,
      ])
      expect(Number(stdout)).toBeGreaterThan(100_000)
      // Mostly row groups already read but not yet collected: V8 collects rarely while the heap is small.
      expect(Number(stdout)).toBeLessThan(96_000_000)
    } finally {
      await rm(folder, { recursive: true })
    }
  },
  600_000,
)
