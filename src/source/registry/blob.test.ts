import { createHash, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../../test/images.ts'
import { watchedClient } from '../../../test/registry/client.ts'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import { systemClock } from './clock.ts'

const BLOBS = { path: /\/sha256:/, method: 'GET' }
const MEDIA_TYPE = 'application/vnd.oci.image.layer.v1.tar'

let registry: FixtureRegistry
let bytes: Uint8Array
let descriptor: Descriptor

const at = () => ({ registry: registry.host, repository: 'app' })

beforeEach(async () => {
  registry = await FixtureRegistry.start()
  bytes = randomBytes(3_000_000)
  descriptor = { mediaType: MEDIA_TYPE, digest: registry.putBlob('app', bytes), size: bytes.byteLength }
})

afterEach(() => registry.close())

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Reads as the layer's reader does: into one buffer, over and over. */
async function readByob(stream: ReadableStream<Uint8Array>, bufferBytes: number): Promise<string> {
  const reader = stream.getReader({ mode: 'byob' })
  const hash = createHash('sha256')
  let buffer = new ArrayBuffer(bufferBytes)
  for (;;) {
    const { value, done } = await reader.read(new Uint8Array(buffer))
    if (done || value === undefined) return `sha256:${hash.digest('hex')}`
    hash.update(value)
    buffer = value.buffer
  }
}

const ranges = () => registry.requests.filter(({ method }) => method === 'GET').map(({ range }) => range)

describe('a blob', () => {
  it('comes as it is, to any kind of reader', async () => {
    const { client } = watchedClient()
    expect(digestOf(await readAll(await client.blob(at(), descriptor, {})))).toBe(descriptor.digest)
    for (const bufferBytes of [1_000, 65_536, 1_000_000])
      expect(await readByob(await client.blob(at(), descriptor, {}), bufferBytes)).toBe(descriptor.digest)
  })

  it('may be empty', async () => {
    const empty = { mediaType: MEDIA_TYPE, digest: registry.putBlob('app', new Uint8Array(0)), size: 0 }
    expect(await readAll(await watchedClient().client.blob(at(), empty, {}))).toHaveLength(0)
  })

  it('reads at most one byte beyond its size from any registry', async () => {
    registry.fault(BLOBS, { endless: true })
    const stream = await watchedClient().client.blob(at(), descriptor, {})
    expect(await readAll(stream)).toHaveLength(descriptor.size + 1)
    expect(registry.bytesSent(BLOBS)).toBeLessThan(16_000_000)
  })

  it('ends where the registry ends it: whoever counts will say so', async () => {
    registry.fault(BLOBS, { body: bytes.subarray(0, 1_000) })
    expect(await readAll(await watchedClient().client.blob(at(), descriptor, {}))).toHaveLength(1_000)
  })

  it('comes in part, where a range is asked for, and goes on inside it after a cut', async () => {
    registry.fault(BLOBS, { resetAfter: 400_000 })
    const stream = await watchedClient().client.blob(
      at(),
      descriptor,
      {},
      { offset: 1_000_000, length: 900_000 },
    )
    expect(digestOf(await readAll(stream))).toBe(digestOf(bytes.subarray(1_000_000, 1_900_000)))
    expect(ranges()[0]).toBe('bytes=1000000-1899999')
    expect(ranges()[1]).toMatch(/^bytes=1[0-4]\d{5}-1899999$/)
    expect(registry.bytesSent(BLOBS)).toBeLessThan(1_400_000)
  })

  it('gives the part that was asked for where the registry ignores ranges, or has fewer bytes', async () => {
    registry.fault(BLOBS, { ignoreRange: true })
    const part = { offset: 1_000_000, length: 10 }
    const stream = await watchedClient().client.blob(at(), descriptor, {}, part)
    expect(digestOf(await readAll(stream))).toBe(digestOf(bytes.subarray(1_000_000, 1_000_010)))
    const past = { offset: bytes.byteLength - 5, length: 100 }
    expect(await readAll(await watchedClient().client.blob(at(), descriptor, {}, past))).toHaveLength(5)
    const beyond = { offset: bytes.byteLength + 5, length: 100 }
    expect(await readAll(await watchedClient().client.blob(at(), descriptor, {}, beyond))).toHaveLength(0)
  })

  it('is let go when its reader goes', async () => {
    registry.fault(BLOBS, { endless: true })
    const reader = (await watchedClient().client.blob(at(), descriptor, {})).getReader()
    await reader.read()
    await reader.cancel()
    await expect.poll(() => registry.bytesSent(BLOBS)).toBeLessThan(16_000_000)
    const sent = registry.bytesSent(BLOBS)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(registry.bytesSent(BLOBS)).toBe(sent)
  })

  it('that is not there, or encrypted, is unavailable', async () => {
    const { client } = watchedClient()
    registry.removeBlob('app', descriptor.digest)
    await expect(client.blob(at(), descriptor, {})).rejects.toThrow(
      expect.objectContaining({ code: 'layer_unavailable', lasting: false }),
    )
    registry.forgetRequests()
    await expect(
      client.blob(at(), { ...descriptor, mediaType: `${MEDIA_TYPE}+gzip+encrypted` }, {}),
    ).rejects.toThrow(
      expect.objectContaining({
        code: 'layer_unavailable',
        lasting: true,
        message: expect.stringContaining('encrypted'),
      }),
    )
    expect(registry.requests).toEqual([])
  })
})

describe('a blob that is cut in the middle', () => {
  it('goes on with a Range request from the byte where it stopped', async () => {
    registry.fault(BLOBS, { resetAfter: 500_000 })
    registry.fault(BLOBS, { resetAfter: 1_000_000 })
    const { client, slept } = watchedClient()
    expect(await readByob(await client.blob(at(), descriptor, {}), 65_536)).toBe(descriptor.digest)
    expect(ranges()).toEqual([undefined, 'bytes=1000000-', 'bytes=1500000-'])
    expect(slept).toHaveLength(2)
    expect(registry.bytesSent(BLOBS)).toBe(descriptor.size)
  })

  it('where ranges are ignored, comes again, and what is there already is passed over', async () => {
    registry.fault(BLOBS, { ignoreRange: true })
    registry.fault(BLOBS, { resetAfter: 1_000_000 })
    const stream = await watchedClient().client.blob(at(), descriptor, {})
    expect(await readByob(stream, 65_536)).toBe(descriptor.digest)
    expect(ranges()).toEqual([undefined, 'bytes=1000000-'])
  })

  it('through a redirect is asked for at the registry again: the address it gave may have run out', async () => {
    await registry.close()
    registry = await FixtureRegistry.start({ redirectBlobs: true })
    registry.putBlob('app', bytes)
    registry.fault({ server: 'storage' }, { resetAfter: 1_000_000 })
    const stream = await watchedClient().client.blob(at(), descriptor, {})
    expect(await readByob(stream, 65_536)).toBe(descriptor.digest)
    expect(registry.requests.map(({ server, range }) => [server, range])).toEqual([
      ['registry', undefined],
      ['storage', undefined],
      ['registry', 'bytes=1000000-'],
      ['storage', 'bytes=1000000-'],
    ])
  })

  it('with a token that ran out meanwhile gets a new one', async () => {
    await registry.close()
    registry = await FixtureRegistry.start({ auth: { kind: 'token', username: 'a', password: 'b' } })
    registry.putBlob('app', bytes)
    const { client } = watchedClient()
    expect(await client.hasBlob(at(), descriptor.digest, {})).toBe(true)
    registry.fault(BLOBS, { resetAfter: 1_000_000 })
    const stream = await client.blob(at(), descriptor, {})
    registry.expireTokens()
    expect(await readByob(stream, 65_536)).toBe(descriptor.digest)
    expect(registry.count({ server: 'token' })).toBe(2)
  })

  it('after silence goes on as well', async () => {
    registry.fault(BLOBS, { stallAfter: 1_000_000 })
    const { client } = watchedClient({ timeouts: { idleMilliseconds: 1_000 } })
    expect(await readByob(await client.blob(at(), descriptor, {}), 65_536)).toBe(descriptor.digest)
    expect(ranges()).toEqual([undefined, 'bytes=1000000-'])
  })

  it('again and again without getting on fails', async () => {
    registry.fault(BLOBS, { resetAfter: 100 }, 100)
    const { client, slept } = watchedClient()
    const stream = await client.blob(at(), descriptor, {})
    await expect(readAll(stream)).rejects.toThrow(
      expect.objectContaining({ code: 'registry_error', message: expect.stringContaining('dropped') }),
    )
    expect(slept).toHaveLength(5)
  })

  it('may be so as often as it likes while it gets on', async () => {
    bytes = randomBytes(10_000_000)
    descriptor = { mediaType: MEDIA_TYPE, digest: registry.putBlob('app', bytes), size: bytes.byteLength }
    registry.fault(BLOBS, { resetAfter: 1_100_000 }, 100)
    const stream = await watchedClient().client.blob(at(), descriptor, {})
    expect(await readByob(stream, 65_536)).toBe(descriptor.digest)
    expect(ranges()).toHaveLength(10)
  })

  it('is not opened again for a reader who has gone meanwhile', async () => {
    registry.fault(BLOBS, { resetAfter: 10 })
    const { client } = watchedClient({ clock: systemClock, policy: { backoffMilliseconds: 200 } })
    const reader = (await client.blob(at(), descriptor, {})).getReader()
    await reader.read()
    const rest = reader.read()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await reader.cancel()
    expect(await rest).toMatchObject({ done: true })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(ranges()).toEqual([undefined])
  })

  it('by a Content-Length that promises too much ends where its bytes end', async () => {
    registry.fault(BLOBS, { contentLength: bytes.byteLength + 1_000, resetAfter: bytes.byteLength })
    const stream = await watchedClient().client.blob(at(), descriptor, {})
    expect(await readByob(stream, 65_536)).toBe(descriptor.digest)
    expect(ranges()).toEqual([undefined, `bytes=${bytes.byteLength}-`])
  })

  it('is not put together out of what does not fit', async () => {
    registry.fault(BLOBS, { status: 206, headers: { 'content-range': 'bytes 0-9/10' }, body: '0123456789' })
    registry.fault(BLOBS, { resetAfter: 1_000_000 })
    const stream = await watchedClient().client.blob(at(), descriptor, {})
    await expect(readAll(stream)).rejects.toThrow(expect.objectContaining({ code: 'registry_error' }))
  })

  it('fails with what the registry then says', async () => {
    registry.fault(BLOBS, { status: 403 })
    registry.fault(BLOBS, { resetAfter: 1_000_000 })
    const stream = await watchedClient().client.blob(at(), descriptor, {})
    await expect(readAll(stream)).rejects.toThrow(expect.objectContaining({ code: 'unauthorized' }))
  })
})

describe('a blob that comes slowly', () => {
  it('is given up below the floor, without another try', async () => {
    registry.fault(BLOBS, { drip: { bytes: 100, milliseconds: 20 } }, 10)
    const { client } = watchedClient({ timeouts: { floorMilliseconds: 300, floorBytesPerSecond: 65_536 } })
    const stream = await client.blob(at(), descriptor, {})
    await expect(readAll(stream)).rejects.toThrow(
      expect.objectContaining({ code: 'registry_timeout', message: expect.stringContaining('64 KiB/s') }),
    )
    expect(ranges()).toEqual([undefined])
  })
})

it('a caller who goes ends the stream with their reason', async () => {
  registry.fault(BLOBS, { drip: { bytes: 100_000, milliseconds: 100 } })
  const going = new AbortController()
  const stream = await watchedClient().client.blob(at(), descriptor, { signal: going.signal })
  setTimeout(() => going.abort(new Error('gone')), 150)
  await expect(readAll(stream)).rejects.toThrow('gone')
  expect(ranges()).toHaveLength(1)
})

describe('a foreign layer', () => {
  const foreign = (...urls: string[]): Descriptor => ({
    ...descriptor,
    mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    urls,
  })

  it('is read from its registry, where that has it', async () => {
    const stream = await watchedClient().client.blob(at(), foreign('https://10.0.0.1/'), {})
    expect(await readByob(stream, 65_536)).toBe(descriptor.digest)
  })

  it('is read from the first of its addresses that has it, without authorization, and goes on there after a cut', async () => {
    await registry.close()
    registry = await FixtureRegistry.start({ auth: { kind: 'basic', username: 'a', password: 'b' } })
    registry.putBlob('elsewhere', bytes)
    const storage = `http://${registry.storageHost}`
    const layer = foreign(`${storage}/nowhere/x`, `${storage}/elsewhere/${descriptor.digest}`)
    registry.fault({ server: 'storage', path: /elsewhere/ }, { resetAfter: 1_000_000 })
    const credential = { username: 'a', password: 'b' }
    const stream = await watchedClient().client.blob(at(), layer, { credential })
    expect(await readByob(stream, 65_536)).toBe(descriptor.digest)
    const asked = registry.requests.filter(({ server }) => server === 'storage')
    expect(asked.map(({ authorization, range, status }) => [authorization, range, status])).toEqual([
      [undefined, undefined, 404],
      [undefined, undefined, 200],
      [undefined, 'bytes=1000000-', 206],
    ])
  })

  it('without a blob anywhere is unavailable', async () => {
    registry.removeBlob('app', descriptor.digest)
    const { client } = watchedClient()
    for (const layer of [
      foreign(),
      foreign(`http://${registry.storageHost}/none`),
      foreign('not an address'),
    ])
      await expect(client.blob(at(), layer, {})).rejects.toThrow(
        expect.objectContaining({ code: 'layer_unavailable' }),
      )
  })

  it.each(['http://169.254.169.254/x', 'http://[::ffff:a00:1]/x', 'https://10.0.0.1/', 'file:///etc/passwd'])(
    'is not read from %s',
    async (url) => {
      registry.removeBlob('app', descriptor.digest)
      const { client, asked } = watchedClient()
      await expect(client.blob(at(), foreign(url), {})).rejects.toThrow(
        expect.objectContaining({
          code: 'forbidden_registry',
          message: expect.stringContaining('foreign layer'),
        }),
      )
      expect(asked.every((each) => new URL(each).host === registry.host)).toBe(true)
    },
  )
})
