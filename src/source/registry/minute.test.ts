/** With the service's own limits every question to a registry ends within a minute, retries included. The time is the test's. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { watchedClient } from '../../../test/registry/client.ts'
import { digestOf } from '../../../test/support/images.ts'
import type { Fetch } from '../../host.ts'
import { pause } from '../../timeout.ts'
import type { RegistryClient } from './client.ts'
import { systemClock } from './clock.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const HOUR = 3_600_000
const SIZE = 1_000
const at = { registry: '127.0.0.1:5000', repository: 'app' }
const descriptor = { mediaType: 'x', digest: digestOf(new Uint8Array(SIZE)), size: SIZE }

const QUESTIONS: Readonly<Record<string, (client: RegistryClient) => Promise<unknown>>> = {
  'a tag': (client) => client.resolve(at, 'v1', {}),
  'a manifest': (client) => client.manifest(at, descriptor.digest, {}),
  'a config': (client) => client.blobBytes(at, descriptor, {}, { limit: SIZE }),
  'the tags': (client) => client.tags(at, {}, { limit: 10 }),
  'whether it has a blob': (client) => client.hasBlob(at, descriptor.digest, {}),
  'a layer': async (client) => new Response(await client.blob(at, descriptor, {})).arrayBuffer(),
}

const REGISTRIES: Readonly<Record<string, Fetch>> = {
  'never answers': (_, init) => pause(HOUR, init.signal ?? undefined).then(() => new Response()),
  'never sends a byte of its answer': async (_, { method }) =>
    new Response(method === 'HEAD' ? null : new ReadableStream(), {
      headers: { 'content-length': `${SIZE}` },
    }),
  'fails after 20 s': (_, init) =>
    pause(20_000, init.signal ?? undefined).then(() => new Response('', { status: 503 })),
}

/** Milliseconds until the question is answered or fails, at most an hour. */
async function timeOf(question: () => Promise<unknown>): Promise<number> {
  const began = Date.now()
  let isOver = false
  const end = () => {
    isOver = true
  }
  question().then(end, end)
  while (!isOver && Date.now() < began + HOUR) await vi.advanceTimersByTimeAsync(1_000)
  return Date.now() - began
}

it.each(Object.entries(REGISTRIES))('of a registry that %s', async (_, fetch) => {
  for (const [what, ask] of Object.entries(QUESTIONS)) {
    const { client, asked } = watchedClient({ fetch, clock: systemClock })
    expect(await timeOf(() => ask(client)), what).toBeLessThan(60_000)
    expect(asked, what).not.toEqual([])
  }
})
