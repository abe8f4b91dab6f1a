import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { LONG } from '../../test/layers/tries.ts'

const SCRIPT = fileURLToPath(new URL('../../test/layers/large-image.ts', import.meta.url))
const MEBIBYTE = 1024 * 1024
const result = z.object({ entries: z.int(), milliseconds: z.number(), arrayBuffers: z.int() })

/** Merges an image in a separate process, which dies if this much heap is not enough. */
async function merge(members: number, layers: number, heapMebibytes: number) {
  const options = [`--max-old-space-size=${heapMebibytes}`, SCRIPT, `${members}`, `${layers}`]
  const { stdout } = await promisify(execFile)(process.execPath, options)
  return result.parse(JSON.parse(stdout))
}

test('a hundred thousand members take little memory', { timeout: 120_000 }, async () => {
  const { entries, arrayBuffers } = await merge(100_000, 20, 40)
  expect(entries).toBeGreaterThanOrEqual(100_000)
  expect(arrayBuffers).toBeLessThan(32 * MEBIBYTE)
})

if (LONG)
  test.each([20, 127])(
    'a million members in %i layers need no more',
    { timeout: 900_000 },
    async (layers) => {
      const { entries, arrayBuffers } = await merge(1_000_000, layers, 48)
      expect(entries).toBeGreaterThanOrEqual(1_000_000)
      expect(arrayBuffers).toBeLessThan(80 * MEBIBYTE)
    },
  )
