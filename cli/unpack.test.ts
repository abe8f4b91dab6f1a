import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { packTar } from '../test/support/images.ts'
import { unpack } from './unpack.ts'

it('only its owner can enter a bundle, in which there may be setuid files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lamina-unpack-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const before = process.umask(0)
  onTestFinished(() => void process.umask(before))
  const tar = await packTar([{ name: 'rootfs/' }, { name: 'rootfs/su', mode: 0o4755, content: 'x' }])
  const target = join(folder, 'bundle')
  await unpack(target, new AbortController().signal, async () => new Response(Buffer.from(tar)))
  expect((await stat(target)).mode & 0o777).toBe(0o700)
  expect((await stat(join(target, 'rootfs/su'))).mode & 0o7777).toBe(0o4755)
})
