import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseConfiguration } from '../src/configuration.ts'
import { withUploadsLimit } from './uploads-limit.ts'

const data = join(tmpdir(), 'not', 'there', 'yet')
const S3 = { S3_BUCKET: 'b', S3_REGION: 'r' }
const limitOf = async (env: Record<string, string>) => {
  const known = await withUploadsLimit(env, parseConfiguration(env, 'node'))
  return parseConfiguration(known, 'node').uploadsBytes
}

it('uploads may take a third of what is free where the store will be, at most 100 GiB', async () => {
  const { bavail, bsize } = await statfs(tmpdir())
  const third = Math.min(100 * 2 ** 30, (bavail * bsize) / 3)
  const limit = await limitOf({ LAMINA_DATA: data })
  // Others write to this disk as well.
  expect(Math.abs(limit - third)).toBeLessThan(third / 2)
  expect(await limitOf({ LAMINA_DATA: data, LAMINA_UPLOADS_BYTES: '5GB' })).toBe(5e9)
  expect(await limitOf({ LAMINA_DATA: data, ...S3 })).toBe(100 * 2 ** 30)
})
