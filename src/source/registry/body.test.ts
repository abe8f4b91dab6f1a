import { describe, expect, it, vi } from 'vitest'
import { BodyReader, discard, readAll, SpeedMeter } from './body.ts'

const TIMEOUTS = { idleMilliseconds: 30_000, floorMilliseconds: 60_000, floorBytesPerSecond: 1_024 }

const rest = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** A stream of these pieces, as a byte stream or not. */
function streamOf(pieces: readonly Uint8Array[], type?: 'bytes'): ReadableStream<Uint8Array> {
  const start = (controller: { enqueue(piece: Uint8Array<ArrayBuffer>): void; close(): void }) => {
    for (const piece of pieces) controller.enqueue(new Uint8Array(piece))
    controller.close()
  }
  return type === 'bytes' ? new ReadableStream({ type, start }) : new ReadableStream({ start })
}

describe('the speed', () => {
  it('is judged over the time spent waiting, once that is long enough', () => {
    const meter = new SpeedMeter(TIMEOUTS)
    meter.add(60 * 1_024, 59_999)
    expect(() => meter.add(0, 1)).not.toThrow()
    meter.add(60 * 1_024 - 1, 59_999)
    expect(() => meter.add(0, 1)).toThrow('less than 1 KiB/s over 60 s')
  })

  it('does not include the time that the reader takes', async () => {
    const timeouts = { ...TIMEOUTS, floorMilliseconds: 500, floorBytesPerSecond: 1e12 }
    const reader = new BodyReader(streamOf(Array(6).fill(new Uint8Array(10))), timeouts)
    let count = 0
    for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
      count += piece.byteLength
      await rest(120)
    }
    expect(count).toBe(60)
  })

  it('includes the time before an empty piece once', async () => {
    const meter = new SpeedMeter(TIMEOUTS)
    const add = vi.spyOn(meter, 'add')
    let pieces = 0
    const sender = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await rest(20)
        controller.enqueue(new Uint8Array(++pieces < 10 ? 0 : 1))
      },
    })
    const began = performance.now()
    await new BodyReader(sender, TIMEOUTS, meter).read()
    const waited = add.mock.calls.reduce((sum, [, milliseconds]) => sum + milliseconds, 0)
    expect(waited).toBeLessThanOrEqual(performance.now() - began)
    expect(add).toHaveBeenCalledTimes(10)
  })
})

describe('reading', () => {
  const pieces = [new Uint8Array([1, 2]), new Uint8Array([3]), new Uint8Array([4, 5, 6])]

  it.each(['bytes', undefined] as const)('works on streams of %s', async (type) => {
    const response = new Response(streamOf(pieces, type))
    expect([...(await readAll(response, { limit: 6, what: 'the body', timeouts: TIMEOUTS }))]).toEqual([
      1, 2, 3, 4, 5, 6,
    ])
  })

  it('stops at the limit, not after it', async () => {
    await expect(
      readAll(new Response(streamOf(pieces)), { limit: 5, what: 'the body', timeouts: TIMEOUTS }),
    ).rejects.toThrow(
      expect.objectContaining({ code: 'too_large', message: 'the body is larger than the limit of 5 bytes' }),
    )
  })

  it('treats a missing body as empty', async () => {
    expect(
      await readAll(new Response(null), { limit: 0, what: 'the body', timeouts: TIMEOUTS }),
    ).toHaveLength(0)
  })

  it('does not wait for a silent sender longer than its timeout', async () => {
    const silent = new Response(new ReadableStream({ pull: () => new Promise(() => undefined) }))
    const timeouts = { ...TIMEOUTS, idleMilliseconds: 50 }
    await expect(readAll(silent, { limit: 1, what: 'the body', timeouts })).rejects.toThrow(
      'no data for 0.05 s',
    )
  })

  it('collects a body of one-byte pieces in one buffer', async () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i)
    const drip = streamOf(Array.from(bytes, (byte) => new Uint8Array([byte])))
    const whole = await readAll(new Response(drip), { limit: 100_000, what: 'the body', timeouts: TIMEOUTS })
    expect(Buffer.compare(whole, bytes)).toBe(0)
    expect(whole.buffer.byteLength).toBeLessThanOrEqual(200_000)
  })

  it('ends when it is stopped, even if the sender goes on', async () => {
    const drip = new Response(
      new ReadableStream({
        async pull(controller) {
          await rest(5)
          controller.enqueue(new Uint8Array(1))
        },
      }),
    )
    const signal = AbortSignal.timeout(50)
    await expect(
      readAll(drip, { limit: 1e9, what: 'the body', timeouts: TIMEOUTS, signal }),
    ).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('prefers what arrived while this process was busy to the timeout', async () => {
    const sender = new TransformStream<Uint8Array, Uint8Array>()
    const reader = new BodyReader(sender.readable, { ...TIMEOUTS, idleMilliseconds: 20 })
    const piece = reader.read()
    const writer = sender.writable.getWriter()
    setImmediate(() => {
      const until = performance.now() + 60
      while (performance.now() < until);
      // The timeout is due, and its turn is before that of what has arrived, as before the bytes of a socket.
      setImmediate(() => void writer.write(new Uint8Array(7)))
    })
    expect((await piece)?.byteLength).toBe(7)
  })
})

describe('releasing', () => {
  it.each([
    ['a short body is read to its end', { 'content-length': '3' }, 'read'],
    ['a long body is cancelled', { 'content-length': '1000000' }, 'cancelled'],
    ['a body of unknown length is cancelled', {}, 'cancelled'],
  ])('%s', async (_, headers, how) => {
    let end = ''
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          controller.enqueue(new Uint8Array(3))
          controller.close()
          end = 'read'
        },
        cancel() {
          end = 'cancelled'
        },
      },
      { highWaterMark: 0 },
    )
    await discard(new Response(body, { headers }))
    expect(end).toBe(how)
  })
})
