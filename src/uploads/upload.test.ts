import { zstdCompressSync } from 'node:zlib'
import { afterEach, expect, it, vi } from 'vitest'
import { startApp, startAppOn, type TestApp } from '../../test/support/app.ts'
import { ociLayout, packArchive } from '../../test/support/archives.ts'
import { makeImage, makeLayer } from '../../test/support/images.ts'
import { deleteUpload, readUpload, receiveUpload, sweepUploads, type Upload } from './upload.ts'
import { openUploadInParts, storePart } from './upload-in-parts.ts'
import { PART_BYTES } from './upload-parts.ts'

const image = makeImage([await makeLayer([{ name: 'a', content: 'a' }])])
const archive = packArchive({ ...ociLayout([{ image }]), padding: new Uint8Array(3 * PART_BYTES) })
const START = Date.UTC(2026, 0, 1)

afterEach(() => {
  vi.useRealTimers()
})

function upload({ service }: TestApp): Promise<Upload> {
  return receiveUpload(service, new Blob([Buffer.from(archive)]).stream())
}

it('a sweep lists two objects of an upload, however large it is', async () => {
  const app = startApp()
  await upload(app)
  const listed: string[] = []
  const list = app.store.list.bind(app.store)
  app.store.list = async function* (prefix) {
    for await (const key of list(prefix)) {
      listed.push(key.slice(key.lastIndexOf('/') + 1))
      yield key
    }
  }
  await sweepUploads(app.service)
  expect(listed).toEqual(['expires', 'index.json'])
})

it('an upload that cannot be removed does not keep the others', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  const app = startApp({ LAMINA_UPLOAD_SECONDS: '60' })
  for (let i = 0; i < 12; i++) await upload(app)
  // Begun first.
  const stuck = [...app.store.objects.keys()].sort().find((key) => key.endsWith('/parts/000000'))
  const remove = app.store.delete.bind(app.store)
  app.store.delete = async (key) => {
    if (key === stuck) throw new Error('the disk is damaged')
    await remove(key)
  }
  vi.setSystemTime(START + 61_000)
  await expect(sweepUploads(app.service)).rejects.toThrow('the disk is damaged')
  const left = [...app.store.objects.keys()].filter((key) => key.endsWith('/expires'))
  expect(left).toEqual([stuck?.replace('archives/', 'uploads/').replace('parts/000000', 'expires')])
})

it('each use extends the life of an upload, and those of one second write the same bytes', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  const app = startApp({ LAMINA_UPLOAD_SECONDS: '60' })
  const { id, expiresAt } = await upload(app)
  // A second longer than asked, since not every use is recorded.
  expect(expiresAt).toBe(new Date(START + 61_000).toISOString())
  const written: Uint8Array[] = []
  const put = app.store.put.bind(app.store)
  app.store.put = async (key, body) => {
    if (body instanceof Uint8Array) written.push(body)
    await put(key, body)
  }
  vi.setSystemTime(START + 900)
  expect((await readUpload(app.service, id)).expiresAt).toBe(expiresAt)
  expect(written).toEqual([])
  const [key, recorded] = [...app.store.objects].find(([key]) => key.endsWith('/expires')) ?? []
  if (key === undefined || recorded === undefined) throw new Error('nothing says when it expires')
  for (const milliseconds of [4_001, 4_500, 5_000]) {
    // As another process sees it that has read before the others wrote.
    app.store.objects.set(key, recorded)
    vi.setSystemTime(START + milliseconds)
    await readUpload(app.service, id)
  }
  expect(written.length).toBe(3)
  expect(new Set(written.map((bytes) => Buffer.from(bytes).toString())).size).toBe(1)
  vi.setSystemTime(START + 65_999)
  await sweepUploads(app.service)
  expect(app.store.objects.size).toBeGreaterThan(0)
  vi.setSystemTime(START + 66_000)
  await sweepUploads(app.service)
  expect([...app.store.objects.keys()]).toEqual([])
})

it('a use that is recorded after the upload was deleted does not bring it back', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  const app = startApp()
  const { id } = await upload(app)
  const late = Promise.withResolvers<void>()
  const writing = Promise.withResolvers<void>()
  const slow = Object.create(app.store, {
    put: {
      value: async (key: string, body: Uint8Array) => {
        if (key.endsWith('/expires')) {
          writing.resolve()
          await late.promise
        }
        await app.store.put(key, body)
      },
    },
  })
  const other = startAppOn(slow)
  const path = `/v1/config?image=upload:${id}`
  expect((await other.ask(path)).status).toBe(200)
  vi.setSystemTime(START + 5_000)
  const using = readUpload(other.service, id)
  await writing.promise
  await deleteUpload(app.service, id)
  late.resolve()
  await using
  expect([...app.store.objects.keys()]).toEqual([expect.stringMatching(/\/expires$/)])
  for (const { service, ask } of [app, other]) {
    await expect(readUpload(service, id)).rejects.toMatchObject({ code: 'upload_not_found' })
    expect((await ask(path)).status).toBe(404)
  }
})

const parts = ({ store }: TestApp) =>
  [...store.objects.keys()].filter((key) => key.includes('/parts/')).map((key) => key.slice(-6))

it('keeps no part of an archive in which there is nothing of an image', async () => {
  const app = startApp()
  const { id } = await upload(app)
  expect(parts(app)).toEqual(['000000'])
  expect((await app.ask(`/v1/config?image=upload:${id}`)).status).toBe(200)
})

it('all uploads together have a limit, and what is over it leaves nothing', async () => {
  const app = startApp({ LAMINA_UPLOADS_BYTES: '16MiB' })
  await upload(app)
  // While it arrives it takes four parts.
  await expect(upload(app)).rejects.toMatchObject({ code: 'store_error' })
  expect(parts(app)).toEqual(['000000'])
  const small = packArchive(ociLayout([{ image }]))
  await receiveUpload(app.service, new Blob([Buffer.from(small)]).stream())
  expect(parts(app)).toEqual(['000000', '000000'])
})

it('the parts of an upload count as soon as they are sent, once each', async () => {
  const app = startApp({ LAMINA_UPLOADS_BYTES: '9MiB' })
  const { id } = await openUploadInParts(app.service)
  const send = (number: number) => storePart(app.service, { id, number }, new Blob(['part']).stream())
  for (const number of [0, 1, 1]) await send(number)
  await expect(send(2)).rejects.toMatchObject({ code: 'store_error' })
  await deleteUpload(app.service, id)
  const other = await openUploadInParts(app.service)
  await storePart(app.service, { id: other.id, number: 0 }, new Blob(['part']).stream())
})

it('a bomb is refused before it fills the store', async () => {
  const app = startApp()
  let stored = 0
  const put = app.store.put.bind(app.store)
  app.store.put = async (key, body) => {
    if (!key.includes('/parts/')) return put(key, body)
    stored += body instanceof Uint8Array ? body.length : 0
  }
  const bomb = zstdCompressSync(packArchive({ bomb: new Uint8Array(300 * 2 ** 20) }))
  const receiving = receiveUpload(app.service, new Blob([bomb]).stream())
  await expect(receiving).rejects.toMatchObject({
    code: 'too_large',
    message: expect.stringContaining('more than 200 times'),
  })
  expect(stored).toBeLessThan(280 * 2 ** 20)
})

it('clients take turns: an upload waits unread while its client has enough others', async () => {
  const app = startApp(
    {},
    { uploadLimits: { total: 2, perKey: 1 }, clientOf: (context) => context.req.header('client') ?? '' },
  )
  const send = (client: string) => {
    const isRead = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>()
    let isAsked = false
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          isAsked = true
          isRead.resolve(controller)
          return new Promise(() => {})
        },
      },
      { highWaterMark: 0 },
    )
    const init: RequestInit & { duplex: 'half' } = {
      method: 'PUT',
      body,
      headers: { client },
      duplex: 'half',
    }
    const answer = app.ask('/v1/uploads', init)
    return { answer, isRead: isRead.promise, isAsked: () => isAsked }
  }
  const first = send('a')
  const controller = await first.isRead
  const second = send('a')
  await send('b').isRead
  expect(second.isAsked()).toBe(false)
  controller.close()
  expect((await first.answer).status).toBe(422)
  await second.isRead
})
