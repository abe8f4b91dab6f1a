import { expect, it } from 'vitest'
import { streamBody } from './stream.ts'

/** Sends one piece, then nothing until the reader leaves, and then fails with the signal's reason. */
async function* untilLeft(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1)
  await new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

it('an error caused by the reader leaving is not reported', async () => {
  const cuts: unknown[] = []
  const reader = (await streamBody(untilLeft, (error) => cuts.push(error))).getReader()
  await reader.read()
  const waiting = reader.read()
  await reader.cancel(new Error('left')).catch(() => {})
  await waiting.catch(() => {})
  await new Promise((resolve) => setImmediate(resolve))
  expect(cuts).toEqual([])
})

it('any other error is reported and cuts the stream off', async () => {
  const broken = new Error('the store is gone')
  const cuts: unknown[] = []
  async function* breaks(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1)
    throw broken
  }
  const reader = (await streamBody(breaks, (error) => cuts.push(error))).getReader()
  await reader.read()
  await expect(reader.read()).rejects.toBe(broken)
  expect(cuts).toEqual([broken])
})
