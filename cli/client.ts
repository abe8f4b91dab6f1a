/** Who answers: the app in this process, or a service. */

export type Question = {
  readonly method?: string
  readonly headers: Readonly<Record<string, string>>
  /** A stream is sent as it comes. */
  readonly body?: string | ReadableStream<Uint8Array>
  readonly signal: AbortSignal
}

export interface Client {
  /** @param path with its query, from `/` on */
  request(path: string, question: Question): Promise<Response>
  /** Waits for what was stopped, and leaves nothing half-made. */
  close(): Promise<void>
}
