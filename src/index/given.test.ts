import { expect, it } from 'vitest'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { digestOf } from '../oci/digest.ts'
import { type GivenBytes, readGiven } from './given.ts'
import { givenKey, PUBLIC } from './keys.ts'

const BYTES = Buffer.from('{"size":1}')
const GIVEN: GivenBytes = { kind: 'manifest', digest: digestOf(BYTES), origin: PUBLIC }

async function stored(bytes: Uint8Array): Promise<MemoryStore> {
  const store = new MemoryStore()
  await store.put(givenKey(GIVEN.kind, GIVEN.digest, GIVEN.origin), bytes)
  return store
}

it('stored bytes read back unchanged', async () => {
  expect(Buffer.from((await readGiven(await stored(BYTES), GIVEN, 100)) ?? [])).toEqual(BYTES)
})

it.each([
  ['that were edited', Buffer.from('{"size":2}'), 100],
  ['past the limit', BYTES, BYTES.length - 1],
])('stored bytes %s count as missing', async (_, bytes, limit) => {
  expect(await readGiven(await stored(bytes), GIVEN, limit)).toBeUndefined()
})

it('the body of stored bytes past the limit is not left open', async () => {
  const store = await stored(BYTES)
  const closed: string[] = []
  store.get = async () => ({
    size: BYTES.length,
    body: new ReadableStream({ cancel: () => void closed.push('cancelled') }),
  })
  await readGiven(store, GIVEN, BYTES.length - 1)
  expect(closed).toEqual(['cancelled'])
})
