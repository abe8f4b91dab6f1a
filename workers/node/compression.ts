/** Compresses text answers. Streams of lines and events are left alone, so that nothing is delayed. */
import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { MiddlewareHandler } from 'hono'
import { compress } from 'hono/compress'
import type { Env } from '../../src/http/backend.ts'
import { ASSETS_PATH } from '../../src/pages/assets.ts'
import { TEXT, takesGzip } from '../compressible.ts'

/** The build's compressed file, by the SHA-256 of the original: undefined for others. */
export type Compressed = (sha256: string) => Promise<Uint8Array<ArrayBuffer> | undefined>

/**
 * Runs before all other middleware, so that it sees the headers that they set.
 *
 * @param compressed the pages' files; others are compressed when they are first requested
 */
export function compression(compressed: Compressed = async () => undefined): MiddlewareHandler<Env> {
  const others = compress({ encoding: 'gzip', contentTypeFilter: TEXT })
  /** The pages' files by their entity tag. */
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
    const file = files.get(tag) ?? response.arrayBuffer().then((bytes) => gzipOf(bytes, compressed))
    files.set(tag, file)
    // A retry may succeed.
    file.catch(() => files.delete(tag))
    context.res = new Response(await file, response)
    context.res.headers.set('Content-Encoding', 'gzip')
    context.res.headers.set('ETag', `W/${tag}`)
  }
}

async function gzipOf(bytes: ArrayBuffer, compressed: Compressed): Promise<Uint8Array<ArrayBuffer>> {
  const file = new Uint8Array(bytes)
  return (await compressed(hash('sha256', file))) ?? gzipAsset(file)
}

/** As small as possible. */
export async function gzipAsset(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }))
}
