import { expect, test } from 'vitest'
import { attachment, sniff } from './attachment.ts'

test.each([
  ['etc\0os-release', `attachment; filename="os-release"; filename*=UTF-8''os-release`],
  ['a"b\r\nX: y', `attachment; filename="a_b__X__y"; filename*=UTF-8''a%22b%0D%0AX%3A%20y`],
  ["it's (1)*.txt", `attachment; filename="it_s__1__.txt"; filename*=UTF-8''it%27s%20%281%29%2A.txt`],
  ['caf\xc3\xa9', `attachment; filename="caf_"; filename*=UTF-8''caf%C3%A9`],
  ['\xff', `attachment; filename="_"; filename*=UTF-8''%EF%BF%BD`],
])('%j is saved under its own name', (key, header) => {
  expect(attachment(key)).toBe(header)
})

const never = (error: unknown) => expect.unreachable(String(error))
const stream = (...chunks: Uint8Array[]) => new Blob(chunks.map((chunk) => Uint8Array.from(chunk))).stream()
const text = (value: string) => new TextEncoder().encode(value)

test.each([
  ['text', text('PRETTY_NAME="Debian"\n\tü\x1b[0m'), 'text/plain; charset=utf-8'],
  ['nothing', text(''), 'text/plain; charset=utf-8'],
  ['a truncated character', text('ü').subarray(0, 1), 'text/plain; charset=utf-8'],
  ['a program', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0), 'application/octet-stream'],
  ['latin-1', Uint8Array.of(0x63, 0x61, 0x66, 0xe9, 0x21), 'application/octet-stream'],
])('%s has its media type and arrives complete', async (_what, bytes, type) => {
  const sniffed = await sniff(stream(bytes), never)
  expect(sniffed.type).toBe(type)
  expect(new Uint8Array(await new Response(sniffed.body).arrayBuffer())).toEqual(Uint8Array.from(bytes))
})

test.each(['ends', 'fails'] as const)(
  'a reader that leaves is not logged as an error if the content %s',
  async (how) => {
    const content = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(text('first')),
      cancel: () => (how === 'fails' ? Promise.reject(new Error('the connection is gone')) : undefined),
    })
    const cuts: unknown[] = []
    const { body } = await sniff(content, (error) => cuts.push(error))
    const reader = body.getReader()
    await reader.read()
    const waiting = reader.read()
    await reader.cancel().catch(() => {})
    await waiting.catch(() => {})
    await new Promise((resolve) => setImmediate(resolve))
    expect(cuts).toEqual([])
  },
)
