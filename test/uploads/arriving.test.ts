/** Archives that are indexed while they arrive. */
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addChecksum } from '../../src/index/checksummed.ts'
import { layerKey, provenanceKey, uploadKey } from '../../src/index/keys.ts'
import { uploadName } from '../../src/oci/source-ref.ts'
import { receiveUpload } from '../../src/uploads/upload.ts'
import { PART_BYTES } from '../../src/uploads/upload-parts.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { blobName, ociLayout, packArchive } from '../support/archives.ts'
import { makeImage, makeLayer, type TestImage } from '../support/images.ts'
import { HOSTS, startService, type TestService } from '../support/service.ts'

const layers = [
  await makeLayer([{ name: 'etc/one', content: 'one' }]),
  await makeLayer([{ name: 'etc/two', content: 'two' }], { compression: 'none' }),
]
const image = makeImage(layers)
/** Follows the layers, so that the object in the store that holds them is complete before the archive is. */
const PADDING = new Uint8Array(PART_BYTES)

/** The archive up to the end of the padding, and the rest. */
function archiveOf(image: TestImage, others: Readonly<Record<string, Uint8Array>> = {}) {
  const files = ociLayout([{ image }])
  const names = new Set(image.layers.map((layer) => blobName(layer.descriptor.digest)))
  const first = Object.fromEntries(Object.entries(files).filter(([name]) => names.has(name)))
  const rest = Object.fromEntries(Object.entries(files).filter(([name]) => !names.has(name)))
  const bytes = packArchive({ ...first, ...others, padding: PADDING, ...rest })
  return { bytes, padded: bytes.length - packArchive(rest).length }
}

const indexed = layers.map((layer) => layerKey(layer.descriptor.digest, 'entries.parquet'))

describe.each(HOSTS)('on %s', (host) => {
  let service: TestService

  beforeAll(async () => {
    service = await startService(host)
  })

  afterAll(() => service?.stop())

  const keys = async () => Array.fromAsync((await service.store()).list(''))
  const { bytes, padded } = archiveOf(image)
  const begun = (): ClientRequest => {
    const headers = { 'content-length': bytes.length }
    const asked = request(`${service.url}/v1/uploads`, { method: 'PUT', headers })
    asked.write(bytes.subarray(0, padded))
    return asked
  }

  it('nothing remains of an upload that breaks off after its layers were indexed', async () => {
    const before = await keys()
    const asked = begun()
    asked.on('error', () => {})
    await expect.poll(keys, { timeout: 20_000 }).toEqual(expect.arrayContaining(indexed))
    asked.destroy()
    await expect.poll(keys, { timeout: 20_000 }).toEqual(before)
  })

  it('the layers are indexed before the end has arrived, and the image before anyone asks', async () => {
    const asked = begun()
    await expect.poll(keys, { timeout: 20_000 }).toEqual(expect.arrayContaining(indexed))
    asked.end(bytes.subarray(padded))
    const [answer]: IncomingMessage[] = await once(asked, 'response')
    expect(answer?.statusCode).toBe(201)
    const { id } = JSON.parse(Buffer.concat(await Array.fromAsync(answer ?? [])).toString())
    const analysed = async () => (await keys()).some((key) => /^images\/.*packages\.parquet$/.test(key))
    await expect.poll(analysed, { timeout: 20_000 }).toBe(true)
    const report = await fetch(`${service.url}/v1/report?wait=60&image=upload:${id}`)
    expect((await report.json()).counts.files).toBe(2)
    expect((await fetch(`${service.url}/v1/uploads/${id}`, { method: 'DELETE' })).status).toBe(204)
    const left = async () =>
      (await keys()).filter((key) => /^(uploads|archives|layers|images|sources)\//.test(key))
    await expect.poll(left, { timeout: 20_000 }).toEqual([])
  })
})

/** Sends the bytes in pieces until `isBroken`. */
function bodyOf(bytes: Uint8Array, isBroken: () => boolean): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve))
      if (isBroken()) return controller.error(new Error('the client is gone'))
      controller.enqueue(bytes.slice(at, at + 256 * 1024))
      at += 256 * 1024
      if (at >= bytes.length) controller.close()
    },
  })
}

/** Receives the archive, which breaks off at the store's operation `n`. @returns the number of operations */
async function receive(app: TestApp, bytes: Uint8Array, n: number): Promise<number> {
  const { store, service } = app
  let operations = 0
  for (const name of ['get', 'has', 'put', 'delete'] as const) {
    const own = store[name].bind(store) as (key: string, ...parts: unknown[]) => Promise<never>
    store[name] = async (key: string, ...parts: unknown[]) => {
      operations++
      // Slow enough for the upload to end meanwhile.
      if (name === 'put' && key.includes('/incoming/')) await sleep(20)
      return own(key, ...parts)
    }
  }
  const receiving = receiveUpload(
    service,
    bodyOf(bytes, () => operations > n),
    { isAnalysed: true },
  )
  await receiving.catch(() => undefined)
  return operations
}

it('an upload that breaks off at any moment leaves nothing behind', async () => {
  // Much of it follows its layers, so that they are indexed before its end.
  const { bytes } = archiveOf(image, { more: PADDING })
  const operations = await receive(startApp(), bytes, Number.POSITIVE_INFINITY)
  expect(operations).toBeGreaterThan(20)
  for (let n = 0; n <= operations; n++) {
    const app = startApp()
    await receive(app, bytes, n)
    const [upload] = [...app.store.objects.keys()].filter((key) => key.endsWith('/index.json'))
    // The last operations come after the last byte.
    if (upload !== undefined) continue
    await expect
      .poll(() => [...app.store.objects.keys()], { message: `operation ${n}`, timeout: 30_000 })
      .toEqual([])
  }
}, 300_000)

it('a name that claims the digest of other content gives nobody that content', async () => {
  const secret = await makeLayer([{ name: 'etc/secret', content: 'secret' }])
  const { digest } = secret.descriptor
  const { bytes } = archiveOf(image, { [blobName(digest)]: layers[0]?.bytes ?? new Uint8Array(0) })
  const app = startApp()
  await receive(app, bytes, Number.POSITIVE_INFINITY)
  await expect.poll(() => isAnalysed(app), { timeout: 20_000 }).toBe(true)
  const claimed = [...app.store.objects.keys()].filter((key) =>
    key.startsWith(provenanceKey('layer', digest, '')),
  )
  expect(claimed).toEqual([])
  expect(app.store.objects.has(layerKey(digest, 'entries.parquet'))).toBe(false)
})

function isAnalysed({ store }: TestApp): boolean {
  return [...store.objects.keys()].some((key) => /^images\/.*packages/.test(key))
}

it('an upload that has expired, but is not removed yet, is not found', async () => {
  const app = startApp()
  const { bytes } = archiveOf(image)
  const { id } = await receiveUpload(
    app.service,
    bodyOf(bytes, () => false),
    { isAnalysed: true },
  )
  const arrived = [...app.store.objects.keys()].filter((key) => key.includes('/incoming/'))
  expect(arrived.length).toBe(2)
  // The analysis that has begun uses it.
  await expect.poll(() => isAnalysed(app), { timeout: 20_000 }).toBe(true)
  const key = uploadKey(uploadName(id), 'expires')
  app.store.objects.set(key, addChecksum(key, { expiresAt: new Date(0).toISOString() }))
  for (const path of ['report?', 'files?', 'config?', `file?path=etc/one&`]) {
    const answer = await app.ask(`/v1/${path}image=upload:${id}`)
    expect([answer.status, (await answer.json()).code], path).toEqual([404, 'upload_not_found'])
  }
})

it('what begins with an upload counts as a new analysis of its client', async () => {
  const app = startApp({ LAMINA_RATE: '1' }, { clientOf: () => '' })
  const { bytes } = archiveOf(image)
  const send = async (): Promise<string> => {
    const request = { method: 'PUT', body: bodyOf(bytes, () => false), duplex: 'half' }
    return (await (await app.ask('/v1/uploads', request)).json()).id
  }
  const report = (id: string) => app.ask(`/v1/report?wait=60&image=upload:${id}`)
  const [first, second] = [await send(), await send()]
  expect((await report(first)).status).toBe(200)
  const arrived = [...app.store.objects.keys()].filter((key) => key.includes('/incoming/'))
  expect(new Set(arrived.map((key) => key.split('/')[1]))).toEqual(new Set([uploadName(first)]))
  expect((await report(second)).status).toBe(429)
})
