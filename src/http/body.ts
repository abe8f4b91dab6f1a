/** Bodies of requests: small, JSON or YAML. */
import { parseDocument } from 'yaml'
import { Problem } from '../problem.ts'
import type { Ask } from './backend.ts'

const BODY_BYTES = 1024 * 1024

export type BodyKind = 'json' | 'yaml'

/**
 * The body as plain data.
 *
 * @throws Problem `too_large` past 1 MiB; `invalid_parameter` where it is of another kind or cannot be read
 */
export async function bodyOf(ask: Ask, kinds: readonly BodyKind[]): Promise<unknown> {
  const kind = kindOf(ask.req.header('Content-Type'))
  if (kind === undefined || !kinds.includes(kind)) {
    throw unreadable(`has to be ${kinds.map((name) => `application/${name}`).join(' or ')}`)
  }
  const text = await textOf(ask.req.raw)
  return kind === 'json' ? parseJson(text) : parseYaml(text)
}

function kindOf(contentType: string | undefined): BodyKind | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  if (type === undefined || /^application\/(?:[\w.+-]+\+)?json$/.test(type)) return 'json'
  return /^(?:application|text)\/(?:x-|[\w.-]+\+)?yaml$/.test(type) ? 'yaml' : undefined
}

async function textOf(request: Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > BODY_BYTES) throw new Problem('too_large', 'the body is larger than 1 MiB', { parameter: 'body' })
    chunks.push(chunk)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw unreadable('is not UTF-8')
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw unreadable('is not JSON')
  }
}

/** The core schema, without aliases: they can make a small text an endless tree. */
function parseYaml(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: true })
  if (document.errors.length > 0) throw unreadable('is not YAML')
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch {
    throw unreadable('is YAML with an alias, which this service does not follow')
  }
}

function unreadable(why: string): Problem {
  return new Problem('invalid_parameter', `the body ${why}`, { parameter: 'body' })
}
