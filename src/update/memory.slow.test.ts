/** Whether the memory budget holds: each case is a process that dies if it does not. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { z } from 'zod'

const FILES = process.env.LAMINA_LONG ? 1_000_000 : 100_000
const SCRIPT = fileURLToPath(new URL('../../test/memory/update-images.ts', import.meta.url))

test.each(['few', 'all'])(
  'an update of many files, of which %s differ, is compared in bounded memory',
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
      const { peak } = z.object({ peak: z.int() }).parse(JSON.parse(stdout))
      expect(peak).toBeGreaterThan(100_000)
      expect(peak).toBeLessThan(80 * 1024 * 1024)
    } finally {
      await rm(folder, { recursive: true })
    }
  },
  600_000,
)
