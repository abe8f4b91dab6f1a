import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { blobOf, LIMITS, readWhole, WASM } from '../../test/support/blob.ts'
import { member, tar } from '../../test/support/tar.ts'
import type { DatabaseSink } from './database.ts'
import { readMembers, type WantedMember } from './members.ts'

/** Incompressible, so there are many pieces. */
const noise = Buffer.concat(
  Array.from({ length: 20_000 }, (_, i) => createHash('sha256').update(`${i}`).digest()),
)
const whole = tar(
  member({ name: 'a' }, 'one'),
  member({ name: 'b' }, noise),
  member({ name: 'c' }),
  member({ name: 'd' }, noise),
)

async function wanted(...names: readonly string[]): Promise<readonly WantedMember[]> {
  return (await readWhole(whole)).entries.filter(({ key }) => names.includes(key))
}

function memorySink() {
  const kept: { key: string; ordinal: number; content: Buffer }[] = []
  let open: Buffer[] = []
  const sink: DatabaseSink = {
    open(key, _, ordinal) {
      open = []
      kept.push({ key, ordinal, content: Buffer.alloc(0) })
    },
    write: (chunk) => void open.push(Buffer.from(chunk)),
    close() {
      const last = kept.at(-1)
      if (last !== undefined) last.content = Buffer.concat(open)
    },
  }
  return { sink, kept }
}

const options = { limits: LIMITS, wasm: WASM }

test('each member arrives complete, and nothing is read after the last one', async () => {
  const blob = blobOf(gzipSync(whole))
  const { sink, kept } = memorySink()
  await readMembers(blob.stream, sink, { ...options, members: await wanted('a', 'b', 'c') })
  expect(kept.map(({ key, ordinal, content }) => [key, ordinal, content.toString('base64')])).toEqual([
    ['a', 0, Buffer.from('one').toString('base64')],
    ['b', 1, noise.toString('base64')],
    ['c', 2, ''],
  ])
  expect(blob.cancelled()).toBe(true)
})

test.each([
  ['different content', tar(member({ name: 'a' }, 'two'))],
  ['a different size', tar(member({ name: 'a' }, 'three'))],
  ['an earlier end', tar(member({ name: 'x' }, 'one'))],
])('a blob that now has %s fails', async (_, other) => {
  const members = await wanted('a', 'b')
  const reading = readMembers(blobOf(other).stream, memorySink().sink, { ...options, members })
  await expect(reading).rejects.toMatchObject({
    code: 'invalid_image',
    message: expect.stringContaining('differs from the one that was indexed'),
  })
})

test('a signal ends it with its reason', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  const members = await wanted('a')
  const reading = readMembers(blobOf(whole).stream, memorySink().sink, { ...options, members, signal })
  await expect(reading).rejects.toThrow('enough')
})
