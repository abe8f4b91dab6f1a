import { expect, test } from 'vitest'
import { jsonLines } from './ndjson.ts'

async function* counting(batches: number, seen: { made: number; left: boolean }) {
  try {
    for (let i = 0; i < batches; i++) {
      seen.made++
      yield [{ value: i }, { value: i + 0.5 }]
    }
  } finally {
    seen.left = true
  }
}

const never = (error: unknown) => expect.unreachable(String(error))

test('each item is one line', async () => {
  const seen = { made: 0, left: false }
  const body = await jsonLines(counting(2, seen), never)
  expect(await new Response(body).text()).toBe('{"value":0}\n{"value":0.5}\n{"value":1}\n{"value":1.5}\n')
})

test('an empty list is an empty body', async () => {
  const batches = (async function* (): AsyncGenerator<number[]> {})()
  expect(await new Response(await jsonLines(batches, never)).text()).toBe('')
})

test('a batch is made only when its reader wants it, and none after the reader has left', async () => {
  const seen = { made: 0, left: false }
  const body = await jsonLines(counting(1_000_000, seen), never)
  const reader = body.getReader()
  for (let i = 0; i < 3; i++) await reader.read()
  expect(seen.made).toBe(3)
  await reader.cancel()
  expect(seen).toEqual({ made: 3, left: true })
})

test('a stream that fails is cut off and logged', async () => {
  const told: unknown[] = []
  const failure = new Error('the store is gone')
  const batches = (async function* () {
    yield [{ value: 1 }]
    throw failure
  })()
  const body = await jsonLines(batches, (error) => told.push(error))
  const reader = body.getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('{"value":1}\n')
  await expect(reader.read()).rejects.toBe(failure)
  expect(told).toEqual([failure])
})

test('a list that fails at the start has no stream', async () => {
  const batches = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('no table')) }) }
  await expect(jsonLines(batches, never)).rejects.toThrow('no table')
})
