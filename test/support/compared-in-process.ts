/** Compares two images of many files in a process of its own, which dies if it needs too much heap. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'

const FILES = process.env.LAMINA_LONG ? 1_000_000 : 100_000

const result = z.object({ peak: z.int() })

/**
 * @param script in `test/memory`; it gets a folder, the number of files and how many of them differ, and prints its `peak`
 * @returns the peak of array buffers, in bytes
 */
export async function peakOfComparison(script: string, differing: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'lamina-memory-'))
  try {
    const path = fileURLToPath(new URL(`../memory/${script}`, import.meta.url))
    const options = ['--max-old-space-size=48', path, folder, String(FILES), differing]
    const { stdout } = await promisify(execFile)(process.execPath, options)
    return result.parse(JSON.parse(stdout)).peak
  } finally {
    await rm(folder, { recursive: true })
  }
}
