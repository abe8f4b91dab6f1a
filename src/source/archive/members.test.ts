import { expect, it } from 'vitest'
import { WASM } from '../../../test/support/blob.ts'
import { header, member, tar } from '../../../test/support/tar.ts'
import { Sha256 } from '../../layer/sha256.ts'
import { findMembers, PassingArchive } from './members.ts'

const LIMIT = { bytes: 2 ** 30, setting: 'any' }

function readerOf(bytes: Uint8Array) {
  let read = 0
  return {
    size: bytes.length,
    async read({ offset, length }: { readonly offset: number; readonly length: number }) {
      const part = bytes.slice(offset, offset + length)
      read += part.length
      return new Blob([part]).stream()
    },
    read_: () => read,
  }
}

async function passing(bytes: Uint8Array, cut: number) {
  const archive = new PassingArchive(new Sha256(await WASM('sha256')), LIMIT)
  for (let at = 0; at < bytes.length; at += cut) await archive.take(bytes.subarray(at, at + cut))
  return archive.finish()
}

it('the same members are found by streaming an archive and by reading only its headers', async () => {
  const large = new Uint8Array(3_000_000).fill(7)
  const bytes = tar(
    member({ name: './a' }, 'first'),
    member({ name: 'large' }, large),
    member({ name: 'folder/link', type: '2', link: '../a' }),
    member({ name: 'hard', type: '1', link: 'large' }),
    member({ name: 'last' }, 'end'),
  )
  const reader = readerOf(bytes)
  const there = await findMembers(reader)
  expect(reader.read_()).toBeLessThan(1_000_000)
  for (const cut of [100, 512, 65_536, bytes.length]) {
    const passed = await passing(bytes, cut)
    for (const name of ['a', './a', 'folder/link', 'hard', 'last', 'x/../a', 'missing', '__proto__'])
      expect(passed.find(name)?.offset, `${name} in pieces of ${cut}`).toBe(there.find(name)?.offset)
    expect(passed.find('large')?.size).toBe(large.length)
  }
})

it('links lead to members of the archive or nowhere', async () => {
  const bytes = tar(
    member({ name: 'out', type: '2', link: '/etc/passwd' }),
    member({ name: 'up', type: '2', link: '../../../../etc/passwd' }),
    member({ name: 'loop', type: '2', link: 'loop' }),
  )
  const members = await passing(bytes, 512)
  for (const name of ['out', 'up', 'loop', '/etc/passwd']) expect(members.find(name)).toBeUndefined()
})

it.each([
  ['two different members with the same name', tar(member({ name: 'a' }, 'x'), member({ name: './a' }, 'y'))],
  ['a missing end', tar(member({ name: 'a' }, 'x')).subarray(0, 1024)],
  ['an end within a member', header({ name: 'a', size: 10_000 })],
  ['data that is not a tar', Buffer.from('a text of some length'.repeat(50))],
])('refuses %s', async (_, bytes) => {
  await expect(passing(bytes, 512)).rejects.toMatchObject({ code: 'invalid_archive' })
})

it('accepts the same member twice', async () => {
  expect(
    (await passing(tar(member({ name: 'a' }, 'x'), member({ name: './a' }, 'x')), 512)).find('a'),
  ).toBeDefined()
})
