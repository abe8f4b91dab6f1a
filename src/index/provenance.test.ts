import { expect, it } from 'vitest'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { digestOf } from '../oci/digest.ts'
import { PUBLIC, provenanceKey } from './keys.ts'
import { type ContentProvenance, readSourceContent } from './provenance.ts'

const BYTES = Buffer.from('{"size":1}')
const CONTENT: ContentProvenance = { kind: 'manifest', digest: digestOf(BYTES), origin: PUBLIC }

async function stored(bytes: Uint8Array): Promise<MemoryStore> {
  const store = new MemoryStore()
  await store.put(provenanceKey(CONTENT.kind, CONTENT.digest, CONTENT.origin), bytes)
  return store
}

it('stored bytes read back unchanged', async () => {
  expect(Buffer.from((await readSourceContent(await stored(BYTES), CONTENT, 100)) ?? [])).toEqual(BYTES)
})

it.each([
  ['that were edited', Buffer.from('{"size":2}'), 100],
  ['past the limit', BYTES, BYTES.length - 1],
])('stored bytes %s count as missing', async (_, bytes, limit) => {
  expect(await readSourceContent(await stored(bytes), CONTENT, limit)).toBeUndefined()
})

it('the body of stored bytes past the limit is not left open', async () => {
  const store = await stored(BYTES)
  const closed: string[] = []
  store.get = async () => ({
    size: BYTES.length,
    body: new ReadableStream({ cancel: () => void closed.push('cancelled') }),
  })
  await readSourceContent(store, CONTENT, BYTES.length - 1)
  expect(closed).toEqual(['cancelled'])
})
