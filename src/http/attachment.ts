/** Content out of images, never served as a page: hostile bytes under a hostile name. */
import { baseName, type PathKey, showPath } from '../text/path.ts'

/** `Content-Disposition` (RFC 6266): the last part of the path, in ASCII for old readers and exactly for all others. */
export function attachment(key: PathKey): string {
  const { path: name } = showPath(baseName(key))
  const plain = name.replace(/[^\w.+-]/g, '_')
  const exact = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`
}

export type Sniffed = {
  readonly type: 'text/plain; charset=utf-8' | 'application/octet-stream'
  readonly body: ReadableStream<Uint8Array>
}

/**
 * Decides by the first bytes whether the content is text.
 *
 * @param onCut called with an error that came too late for a status, unless the reader has left
 */
export async function sniff(
  content: ReadableStream<Uint8Array>,
  onCut: (error: unknown) => void,
): Promise<Sniffed> {
  const reader = content.getReader()
  let isLeft = false
  let ahead: ReadableStreamReadResult<Uint8Array> | undefined = await reader.read()
  const type = isText(ahead.value ?? new Uint8Array(0))
    ? 'text/plain; charset=utf-8'
    : 'application/octet-stream'
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = ahead ?? (await reader.read())
          ahead = undefined
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          if (!isLeft) onCut(error)
          controller.error(error)
        }
      },
      cancel(reason) {
        isLeft = true
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return { type, body }
}

/** Whether the bytes are UTF-8 without control characters of binary files; a character may be cut off at the end. */
function isText(bytes: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    return !/[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text)
  } catch {
    return false
  }
}
