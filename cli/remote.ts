/** A remote service, given by `--server` or `LAMINA_SERVER`. */
import type { Client, Question } from './client.ts'
import { Failure, systemReason } from './failure.ts'

/** Required for a body that is a stream; the types of the web do not know it. */
const STREAMED = { duplex: 'half' }

export function remoteClient(address: string, token: string | undefined): Client {
  const base = baseOf(address)
  const own: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return {
    reader: 'service',
    async request(path, { headers, ...question }: Question) {
      try {
        const sent = { ...question, headers: { ...headers, ...own }, redirect: 'error' as const, ...STREAMED }
        return await fetch(base + path, sent)
      } catch (error) {
        if (question.signal.aborted) throw error
        const cause = error instanceof Error ? (error.cause ?? error) : error
        throw new Failure('server_unreachable', `could not connect to ${base}: ${reasonOf(cause)}`)
      }
    },
    async close() {},
  }
}

function baseOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new Failure('invalid_parameter', `--server must be a URL like https://lamina.example.com`)
  return url.href.replace(/[?#].*$/s, '').replace(/(?<!\/)\/+$/, '')
}

/** If several addresses were tried, Node lists the reason of each. */
function reasonOf(cause: unknown): string {
  return systemReason(cause instanceof AggregateError ? cause.errors[0] : cause)
}
