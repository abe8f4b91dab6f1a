/**
 * What applies to many requests: tokens, limits, conditional requests. This file checks the service's own tokens: a caller
 * with a token may use the service, and the registry credentials that it was given.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { Problem } from '../../problem.ts'

/** The tools for agents, outside of `/v1/`. */
export const MCP_PATH = '/mcp'
/** Callers present a webhook secret instead of a token. */
export const WEBHOOKS_PATH = '/v1/webhooks/'

/** @throws Problem `unauthorized` if the service has tokens and the header presents none of them */
export type TokenCheck = (authorization: string | undefined) => void

/** @param tokens empty: everybody may call */
export function tokenCheck(tokens: readonly string[]): TokenCheck {
  if (tokens.length === 0) return () => {}
  // Hashes are compared, so that the time taken reveals neither length nor content.
  const known = tokens.map(hash)
  return (authorization) => {
    const presented = hash(/^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '')
    let matches = 0
    for (const token of known) if (timingSafeEqual(token, presented)) matches++
    if (matches > 0) return
    const detail = 'this service needs a token: send one of its tokens as `Authorization: Bearer TOKEN`'
    throw new Problem('unauthorized', detail, { authenticate: 'Bearer realm="lamina"' })
  }
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
