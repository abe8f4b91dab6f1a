/** The Worker that the layer benchmark runs: indexes one layer from a URL into R2 in workerd, and does nothing else. */
/// <reference path="../../workers/cloudflare/cloudflare.d.ts" />

import type { Limits } from '../../src/configuration.ts'
import type { WasmModules } from '../../src/host.ts'
import { indexLayer } from '../../src/index/layer-index.ts'
import { readLayer } from '../../src/layer/read.ts'
import { type R2Bucket, R2Store } from '../../workers/cloudflare/r2-store.ts'
import sha256 from '../../workers/wasm/sha256.wasm'
import zstd from '../../workers/wasm/zstd.wasm'

const LIMITS: Limits = { layerBytes: 2 ** 40, imageBytes: 2 ** 40, entries: 1e9, zstdWindow: 2 ** 27 }
const wasm: WasmModules = async (name) => (name === 'zstd' ? zstd : sha256)

export default {
  async fetch(request: Request, { BUCKET }: { readonly BUCKET: R2Bucket }): Promise<Response> {
    const { url, descriptor }: { url: string; descriptor: { digest: string; size: number } } =
      await request.json()
    const { body } = await fetch(url)
    if (body === null) return new Response('no body', { status: 500 })
    const { entries } = await indexLayer(new R2Store(BUCKET), descriptor.digest, (sinks) =>
      readLayer(body, { descriptor, limits: LIMITS, wasm, ...sinks }),
    )
    return Response.json({ entries })
  },
}
