/** Compresses what is text on its way out. Streams of lines and events are left alone, so that nothing holds them up. */
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { MiddlewareHandler } from 'hono'
import { compress } from 'hono/compress'
import type { Env } from '../../src/http/backend.ts'
import { ASSETS_PATH } from '../../src/pages/assets.ts'

/** Whole texts: no `application/x-ndjson`, no `text/event-stream`, no `text/plain`, which files of images are. */
const TEXT =
  /^(?:text\/(?:html|css|javascript|markdown)|application\/(?:[\w.-]+\+)?(?:json|yaml|xml)|image\/svg\+xml)\b/

/** Runs before all other middleware, so that it sees the headers that they set. */
export function compression(): MiddlewareHandler<Env> {
  const others = compress({ encoding: 'gzip', contentTypeFilter: TEXT })
  /** The pages' files by their tag: each is compressed once, and well. */
  const files = new Map<string, Promise<Uint8Array<ArrayBuffer>>>()
  return async (context, next) => {
    if (!context.req.path.startsWith(ASSETS_PATH)) return others(context, next)
    await next()
    const { res: response } = context
    const tag = response.headers.get('ETag')
    if (response.status !== 200 || tag === null || !TEXT.test(response.headers.get('Content-Type') ?? ''))
      return
    response.headers.append('Vary', 'Accept-Encoding')
    if (context.req.method !== 'GET' || !takesGzip(context.req.header('Accept-Encoding'))) return
    const compressed = files.get(tag) ?? response.arrayBuffer().then(gzipped)
    files.set(tag, compressed)
    context.res = new Response(await compressed, response)
    context.res.headers.set('Content-Encoding', 'gzip')
    context.res.headers.set('ETag', `W/${tag}`)
  }
}

async function gzipped(bytes: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }))
}

function takesGzip(accepted = ''): boolean {
  return accepted.split(',').some((one) => {
    const [name = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase())
    return name === 'gzip' && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
  })
}
