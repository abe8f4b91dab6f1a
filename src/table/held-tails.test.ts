import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MemoryStore } from '../../test/support/memory-store.ts'
import type { ByteRange } from '../host.ts'
import { fetchBytes } from './fetch-bytes.ts'
import { HeldTails } from './held-tails.ts'

const HELD = 100

async function held(size: number) {
  const store = new MemoryStore()
  const bytes = Uint8Array.from({ length: size }, (_, i) => i)
  await store.put('object', bytes)
  const asked: ByteRange[] = []
  const counted: Pick<MemoryStore, 'get'> = {
    get(key, range) {
      if (range !== undefined) asked.push(range)
      return store.get(key, range)
    },
  }
  return { store, tails: new HeldTails(counted, HELD), asked }
}

const ranges = fc.oneof(
  fc.record({ suffix: fc.integer({ min: 1, max: 300 }) }),
  fc.record({ offset: fc.integer({ min: 0, max: 250 }), length: fc.integer({ min: 1, max: 300 }) }),
)

it('gives the same bytes of any range as the store', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 250 }), fc.array(ranges), async (size, all) => {
      const { store, tails } = await held(size)
      for (const range of all.filter((one) => 'suffix' in one || one.offset < size))
        expect(await fetchBytes(tails, 'object', range)).toEqual(await fetchBytes(store, 'object', range))
    }),
  )
})

it('asks the store once for a small object, and for what a large one has before its tail', async () => {
  const small = await held(HELD)
  for (const range of [{ suffix: 10 }, { suffix: 20 }, { offset: 0, length: HELD }])
    await fetchBytes(small.tails, 'object', range)
  expect(small.asked).toEqual([{ suffix: HELD }])

  const large = await held(HELD + 1)
  for (const range of [{ suffix: 10 }, { offset: 1, length: 10 }, { offset: 0, length: 10 }])
    await fetchBytes(large.tails, 'object', range)
  expect(large.asked).toEqual([{ suffix: HELD }, { offset: 0, length: 10 }])
})

it('asks the store once when many open the same object at the same time', async () => {
  const { tails, asked } = await held(HELD)
  const opened = await Promise.all(
    Array.from({ length: 20 }, () => fetchBytes(tails, 'object', { suffix: 10 })),
  )
  expect(new Set(opened.map((one) => one?.bytes.length))).toEqual(new Set([10]))
  expect(asked).toEqual([{ suffix: HELD }])
})

it('knows of no object that is missing', async () => {
  const { tails } = await held(1)
  expect(await tails.get('missing', { suffix: 10 })).toBeUndefined()
})
