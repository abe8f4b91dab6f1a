import { createHash, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watchedClient } from '../../../test/registry/client.ts'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { digestOf } from '../../../test/support/images.ts'
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

/** Reads as the layer reader does: into the same buffer again and again. */
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
  it('arrives unchanged, for any kind of reader', async () => {
    const { client } = watchedClient()
    expect(digestOf(await readAll(await client.blob(at(), descriptor, {})))).toBe(descriptor.digest)
    for (const bufferBytes of [1_000, 65_536, 1_000_000])
      expect(await readByob(await client.blob(at(), descriptor, {}), bufferBytes)).toBe(descriptor.digest)
  })

  it('may be empty', async () => {
    const empty = { mediaType: MEDIA_TYPE, digest: registry.putBlob('app', new Uint8Array(0)), size: 0 }
    expect(await readAll(await watchedClient().client.blob(at(), empty, {}))).toHaveLength(0)
  })

  it('is read at most one byte beyond its size', async () => {
    registry.fault(BLOBS, { endless: true })
    const stream = await watchedClient().client.blob(at(), descriptor, {})
    expect(await readAll(stream)).toHaveLength(descriptor.size + 1)
    expect(registry.bytesSent(BLOBS)).toBeLessThan(16_000_000)
  })

  it('ends where the registry ends it: whoever counts the bytes reports the difference', async () => {
    registry.fault(BLOBS, { body: bytes.subarray(0, 1_000) })
    expect(await readAll(await watchedClient().client.blob(at(), descriptor, {}))).toHaveLength(1_000)
  })

  it('arrives in part if a range is requested, and resumes inside the range after a cut', async () => {
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

  it('gives the requested part even if the registry ignores ranges or has fewer bytes', async () => {
    registry.fault(BLOBS, { ignoreRange: true })
    const part = { offset: 1_000_000, length: 10 }
    const stream = await watchedClient().client.blob(at(), descriptor, {}, part)
    expect(digestOf(await readAll(stream))).toBe(digestOf(bytes.subarray(1_000_000, 1_000_010)))
    const past = { offset: bytes.byteLength - 5, length: 100 }
    expect(await readAll(await watchedClient().client.blob(at(), descriptor, {}, past))).toHaveLength(5)
    const beyond = { offset: bytes.byteLength + 5, length: 100 }
    expect(await readAll(await watchedClient().client.blob(at(), descriptor, {}, beyond))).toHaveLength(0)
  })

  it('is released when its reader leaves', async () => {
    registry.fault(BLOBS, { endless: true })
    const reader = (await watchedClient().client.blob(at(), descriptor, {})).getReader()
    await reader.read()
    await reader.cancel()
    await expect.poll(() => registry.bytesSent(BLOBS)).toBeLessThan(16_000_000)
    const sent = registry.bytesSent(BLOBS)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(registry.bytesSent(BLOBS)).toBe(sent)
  })

  it('that is missing or encrypted is unavailable', async () => {
    const { client } = watchedClient()
    registry.removeBlob('app', descriptor.digest)
    await expect(client.blob(at(), descriptor, {})).rejects.toThrow(
      expect.objectContaining({ code: 'layer_unavailable', permanent: false }),
    )
    registry.forgetRequests()
    await expect(
      client.blob(at(), { ...descriptor, mediaType: `${MEDIA_TYPE}+gzip+encrypted` }, {}),
    ).rejects.toThrow(
      expect.objectContaining({
        code: 'layer_unavailable',
        permanent: true,
        message: expect.stringContaining('encrypted'),
      }),
    )
    expect(registry.requests).toEqual([])
  })
})

describe('a blob that is cut off midway', () => {
  it('resumes with a Range request at the byte where it stopped', async () => {
    registry.fault(BLOBS, { resetAfter: 500_000 })
    registry.fault(BLOBS, { resetAfter: 1_000_000 })
    const { client, slept } = watchedClient()
    expect(await readByob(await client.blob(at(), descriptor, {}), 65_536)).toBe(descriptor.digest)
    expect(ranges()).toEqual([undefined, 'bytes=1000000-', 'bytes=1500000-'])
    expect(slept).toHaveLength(2)
    expect(registry.bytesSent(BLOBS)).toBe(descriptor.size)
  })

  it('is sent again if ranges are ignored, and the bytes already received are skipped', async () => {
    registry.fault(BLOBS, { ignoreRange: true })
    registry.fault(BLOBS, { resetAfter: 1_000_000 })
    const stream = await watchedClient().client.blob(at(), descriptor, {})
    expect(await readByob(stream, 65_536)).toBe(descriptor.digest)
    expect(ranges()).toEqual([undefined, 'bytes=1000000-'])
  })

  it("behind a redirect is requested from the registry again: the redirect's URL may have expired", async () => {
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

  it('gets a new token if the old one has expired', async () => {
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

  it('also resumes after a stall', async () => {
    registry.fault(BLOBS, { stallAfter: 1_000_000 })
    const { client } = watchedClient({ timeouts: { idleMilliseconds: 1_000 } })
    expect(await readByob(await client.blob(at(), descriptor, {}), 65_536)).toBe(descriptor.digest)
    expect(ranges()).toEqual([undefined, 'bytes=1000000-'])
  })

  it('fails if no byte arrives, without trying all over again for each silent connection', async () => {
    registry.fault(BLOBS, { stallAfter: 0 }, 100)
    const patience = { timeouts: { idleMilliseconds: 200 }, policy: { questionMilliseconds: 350 } }
    const { client } = watchedClient(patience)
    const stream = await client.blob(at(), descriptor, {})
    await expect(readAll(stream)).rejects.toMatchObject({ code: 'registry_timeout' })
    expect(ranges().length).toBeLessThanOrEqual(2)
  })

  it('fails if it is cut again and again without progress', async () => {
    registry.fault(BLOBS, { resetAfter: 100 }, 100)
    const { client, slept } = watchedClient()
    const stream = await client.blob(at(), descriptor, {})
    await expect(readAll(stream)).rejects.toThrow(
      expect.objectContaining({ code: 'registry_error', message: expect.stringContaining('dropped') }),
    )
    expect(slept).toHaveLength(5)
  })

  it('may be cut any number of times while it makes progress', async () => {
    bytes = randomBytes(10_000_000)
    descriptor = { mediaType: MEDIA_TYPE, digest: registry.putBlob('app', bytes), size: bytes.byteLength }
    registry.fault(BLOBS, { resetAfter: 1_100_000 }, 100)
    const stream = await watchedClient().client.blob(at(), descriptor, {})
    expect(await readByob(stream, 65_536)).toBe(descriptor.digest)
    expect(ranges()).toHaveLength(10)
  })

  it('is not reopened for a reader who has left', async () => {
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

  it('ends where its bytes end if the Content-Length was too large', async () => {
    registry.fault(BLOBS, { contentLength: bytes.byteLength + 1_000, resetAfter: bytes.byteLength })
    const stream = await watchedClient().client.blob(at(), descriptor, {})
    expect(await readByob(stream, 65_536)).toBe(descriptor.digest)
    expect(ranges()).toEqual([undefined, `bytes=${bytes.byteLength}-`])
  })

  it('is not assembled from ranges that do not match', async () => {
    registry.fault(BLOBS, { status: 206, headers: { 'content-range': 'bytes 0-9/10' }, body: '0123456789' })
    registry.fault(BLOBS, { resetAfter: 1_000_000 })
    const stream = await watchedClient().client.blob(at(), descriptor, {})
    await expect(readAll(stream)).rejects.toThrow(expect.objectContaining({ code: 'registry_error' }))
  })

  it("fails with the registry's answer to the retry", async () => {
    registry.fault(BLOBS, { status: 403 })
    registry.fault(BLOBS, { resetAfter: 1_000_000 })
    const stream = await watchedClient().client.blob(at(), descriptor, {})
    await expect(readAll(stream)).rejects.toThrow(expect.objectContaining({ code: 'unauthorized' }))
  })
})

describe('a blob that arrives slowly', () => {
  it('is given up below the minimum speed, without a retry', async () => {
    registry.fault(BLOBS, { drip: { bytes: 100, milliseconds: 20 } }, 10)
    const { client } = watchedClient({ timeouts: { floorMilliseconds: 300, floorBytesPerSecond: 65_536 } })
    const stream = await client.blob(at(), descriptor, {})
    await expect(readAll(stream)).rejects.toThrow(
      expect.objectContaining({ code: 'registry_timeout', message: expect.stringContaining('64 KiB/s') }),
    )
    expect(ranges()).toEqual([undefined])
  })
})

it('a caller who leaves ends the stream with their reason', async () => {
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

  it('is read from its registry if that has it', async () => {
    const stream = await watchedClient().client.blob(at(), foreign('https://10.0.0.1/'), {})
    expect(await readByob(stream, 65_536)).toBe(descriptor.digest)
  })

  it('is read without authorization from the first of its URLs that has it, and resumes there after a cut', async () => {
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

  it('is unavailable if none of its URLs has it', async () => {
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
