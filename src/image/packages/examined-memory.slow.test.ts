import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const SCRIPT = fileURLToPath(new URL('../../../test/memory/examined.ts', import.meta.url))

test('what is inside files takes no more memory than its text, up to 64 MiB', async () => {
  // The values would take 140 MB, and the process would die.
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=112', SCRIPT, '80'])
  expect(Number(stdout)).toBeGreaterThan(60)
  expect(Number(stdout)).toBeLessThan(80)
})
