import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { startApp } from '../../../test/support/app.ts'
import { pause } from '../../timeout.ts'
import { BODY_LIMITS } from './body.ts'

const SECRET = 'secret'
const SETTINGS = { LAMINA_WEBHOOK_SECRETS: SECRET, LAMINA_ALLOWED_REGISTRIES: 'registry.example' }

/** A body that begins and never ends. @param pieces each read by itself */
function stalled(...pieces: readonly Uint8Array[]) {
  let isCancelled = false
  let asked = 0
  const queue = [...pieces]
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        asked++
        const piece = queue.shift()
        return piece === undefined ? new Promise(() => {}) : controller.enqueue(piece)
      },
      cancel() {
        isCancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { stream, asked: () => asked, isCancelled: () => isCancelled }
}

const post = (
  body: ReadableStream<Uint8Array> | string,
  headers: Record<string, string> = {},
): RequestInit & { duplex: 'half' } => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/json', ...headers },
  duplex: 'half',
})

describe('a body', () => {
  it('must not stall', async () => {
    const bodyLimits = { ...BODY_LIMITS, silentMilliseconds: 20, wholeMilliseconds: 3_600_000 }
    const { ask } = startApp({}, { bodyLimits })
    const { stream, isCancelled } = stalled(Buffer.from('{"im'))
    const answer = await ask('/v1/check', post(stream))
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      code: 'invalid_parameter',
      detail: 'the body did not arrive in time: the request stalled after 4 bytes',
    })
    expect(isCancelled()).toBe(true)
  })

  it('must have arrived after a while, however steadily it comes', async () => {
    const { ask } = startApp({}, { bodyLimits: { ...BODY_LIMITS, wholeMilliseconds: 50 } })
    let isCancelled = false
    const steady = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          await pause(5)
          if (!isCancelled) controller.enqueue(Buffer.from(' '))
        },
        cancel() {
          isCancelled = true
        },
      },
      { highWaterMark: 0 },
    )
    expect(await (await ask('/v1/check', post(steady))).json()).toMatchObject({ code: 'invalid_parameter' })
  })

  it('takes some of what bodies may hold in all and for each client, while it arrives', async () => {
    const bodyLimits = { ...BODY_LIMITS, heldBytes: 250_000, heldBytesOfOneClient: 150_000 }
    const { ask } = startApp({}, { bodyLimits, clientOf: (context) => context.req.header('client') ?? '' })
    const waiting: { readonly answer: Promise<Response>; readonly end: () => void }[] = []
    const send = async (client: string) => {
      let end = () => {}
      const read = Promise.withResolvers<'incoming'>()
      const pieces = [Buffer.alloc(100_000, ' ')]
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            const piece = pieces.shift()
            if (piece !== undefined) return controller.enqueue(piece)
            end = () => controller.close()
            read.resolve('incoming')
            return new Promise(() => {})
          },
        },
        { highWaterMark: 0 },
      )
      const answer = Promise.resolve(ask('/v1/check', post(body, { client })))
      const first = await Promise.race([answer, read.promise])
      if (first !== 'incoming') return first
      waiting.push({ answer, end })
      return undefined
    }
    expect(await send('a')).toBeUndefined()
    const refused = await send('a')
    expect([refused?.status, refused?.headers.get('retry-after')]).toEqual([429, '5'])
    expect(await send('b')).toBeUndefined()
    expect((await send('c'))?.status).toBe(429)
    waiting[0]?.end()
    await waiting[0]?.answer
    expect(await send('c')).toBeUndefined()
  })

  it('that its client breaks off is no error of the service', async () => {
    const events: unknown[] = []
    const { ask } = startApp({}, { log: (event) => events.push(event) })
    const broken = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error('gone')) })
    expect((await ask('/v1/check', post(broken))).status).toBe(400)
    expect(events).toEqual([])
  })
})

describe('a webhook', () => {
  it.each([
    ['in the query', '/v1/webhooks/quay?secret=wrong', {}],
    ['in a header', '/v1/webhooks/quay', { Authorization: 'Bearer wrong' }],
  ])('with a wrong secret %s is refused before its body is read', async (_, path, headers) => {
    const { ask } = startApp(SETTINGS)
    const { stream, asked } = stalled()
    expect((await ask(path, post(stream, headers))).status).toBe(401)
    expect(asked()).toBe(0)
  })

  it('is accepted with the right secret or signature', async () => {
    const { ask } = startApp(SETTINGS)
    const body = '{}'
    const sign = (secret: string) => ({
      'X-Hub-Signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    })
    const status = async (query: string, headers: Record<string, string> = {}) =>
      (await ask(`/v1/webhooks/quay${query}`, post(body, headers))).status
    expect(await status('?secret=wrong')).toBe(401)
    expect(await status('', sign('wrong'))).toBe(401)
    const accepted = await status(`?secret=${SECRET}`)
    expect(accepted).not.toBe(401)
    expect(await status('', { Authorization: `Bearer ${SECRET}` })).toBe(accepted)
    expect(await status('', sign(SECRET))).toBe(accepted)
    expect(await status('?secret=wrong', sign(SECRET))).toBe(accepted)
  })
})
