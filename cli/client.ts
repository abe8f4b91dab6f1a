/** Whoever answers: the app in this process, or a service. */

import type { Reader } from './words.ts'

export type Question = {
  readonly method?: string
  readonly headers: Readonly<Record<string, string>>
  /** A stream is sent as it arrives. */
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
  readonly signal: AbortSignal
}

export interface Client {
  /** Who reads the registries. */
  readonly reader: Reader
  /** @param path with its query, from `/` on */
  request(path: string, question: Question): Promise<Response>
  /** Forgets what registries have said, so that they are asked again. */
  forget?(): Promise<void>
  /** Waits for stopped work, and leaves nothing half-done. */
  close(): Promise<void>
}
