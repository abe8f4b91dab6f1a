/** What leaves an image: tars, a runtime bundle, the runtime's config, a bill of materials. */
import { createRoute, z } from '@hono/zod-openapi'
import { SBOM_FORMATS, SBOM_MEDIA_TYPES } from '../../export/sbom.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import {
  exportBundle,
  exportLayer,
  exportLayerFiles,
  exportRootfs,
  exportSbom,
  needsFiles,
  runtimeConfigOf,
} from '../../service/images/export.ts'
import { pathToKey } from '../../text/path.ts'
import { cacheInputs, factsInTime, freshness, openFor, unchanged } from '../answers.ts'
import { attachment } from '../attachment.ts'
import { type App, type Backend, logCut, type RequestContext } from '../backend.ts'
import { requireOtherThread } from '../offload.ts'
import { json, problems } from '../openapi/describe.ts'
import { imageQuery, integer, layer, optional, pathBase64 } from '../parameters.ts'
import { pathAsked } from '../paths.ts'
import { streamBody } from '../stream.ts'
import { answerAttachedSbom } from './attached-content.ts'
import { runtimeConfigSchema, sbomSchema } from './export.schema.ts'

const TAR = 'application/x-tar'

const tar = (description: string) => ({
  description,
  content: { [TAR]: { schema: { type: 'string', format: 'binary' } as const } },
})

const getExport = createRoute({
  method: 'get',
  path: '/v1/export',
  operationId: 'exportImage',
  tags: ['Exports'],
  summary: 'The merged file system, or one layer, as a tar',
  description:
    "As `docker export` gives it; the same image gives the same bytes. With `layer`, that layer's tar, byte for byte: its SHA-256 is the diffId; with `path` as well, the files that this layer has there, without its whiteouts. A failure breaks the connection: a tar that ends is whole.",
  request: {
    query: z.strictObject({
      ...imageQuery,
      path: optional('Only this path and what is below it. Symbolic links are not followed.'),
      pathBase64,
      layer,
    }),
  },
  responses: {
    200: tar('The tar, as an attachment.'),
    ...problems('image'),
  },
})

const id = (description: string) => integer({ min: 0, max: 2 ** 32 - 2 }, description).default(1000)

const rootless = {
  rootless: z.enum(['0', '1']).default('0').openapi({
    description:
      '`1`: for a user other than root, like `runc spec --rootless`. Inside, the image must run as root.',
  }),
  uid: id('With `rootless=1`: the host user that root in the container maps to.'),
  gid: id('With `rootless=1`: the host group that root in the container maps to.'),
}

const getBundle = createRoute({
  method: 'get',
  path: '/v1/bundle',
  operationId: 'getBundle',
  tags: ['Exports'],
  summary: 'An OCI runtime bundle as a tar',
  description:
    '`config.json` and `rootfs/`: unpack it as root with `tar -xp`, then `runc run NAME`. A failure breaks the connection.',
  request: { query: z.strictObject({ ...imageQuery, ...rootless }) },
  responses: { 200: tar('The bundle, as an attachment.'), ...problems('image') },
})

const getRuntimeConfig = createRoute({
  method: 'get',
  path: '/v1/runtime-config',
  operationId: 'getRuntimeConfig',
  tags: ['Exports'],
  summary: "The runtime's `config.json`",
  description:
    "By the OCI image specification's `conversion.md`, with user and groups looked up in the image; the rest is as `runc spec` writes it.",
  request: { query: z.strictObject({ ...imageQuery, ...rootless }) },
  responses: { 200: json('The config.', runtimeConfigSchema), ...problems('image') },
})

const getSbom = createRoute({
  method: 'get',
  path: '/v1/sbom',
  operationId: 'getSbom',
  tags: ['Exports'],
  summary: "A bill of materials of the image's packages",
  description: 'CycloneDX 1.6 or SPDX 2.3. The same image gives the same bytes.',
  request: {
    query: z.strictObject({
      ...imageQuery,
      format: z.enum(SBOM_FORMATS).default('cyclonedx').openapi({
        description: '`cyclonedx` (1.6, JSON) or `spdx` (2.3, JSON).',
      }),
      source: z.enum(['image', 'attached']).default('image').openapi({
        description: '`attached`: the one that its builder attached, in any version of the format.',
      }),
    }),
  },
  responses: {
    200: {
      description: 'The bill of materials.',
      content: {
        [SBOM_MEDIA_TYPES.cyclonedx]: { schema: sbomSchema },
        [SBOM_MEDIA_TYPES.spdx]: { schema: sbomSchema },
      },
    },
    ...problems('image'),
  },
})

export function addExport(app: App, backend: Backend): void {
  const { host } = backend

  app.openapi(getExport, async (c) => {
    const query = c.req.valid('query')
    const within = pathAsked(query)
    if (query.layer !== undefined && within === undefined) {
      // No table is read here, but a layer is decompressed.
      requireOtherThread(backend)
      const number = query.layer
      const image = await openFor(backend, c, query)
      const name = `${nameOf(image)}-layer-${number}.tar`
      return answerStream(backend, c, { image, contentType: TAR, name }, (signal) =>
        exportLayer(host, image, number, signal),
      )
    }
    // An export reads the layers' content in any case.
    const image = await openFor(backend, c, { ...query, read: 'full' })
    const { layer, wait } = query
    const name = layer === undefined ? `${nameOf(image)}.tar` : `${nameOf(image)}-layer-${layer}.tar`
    return answerAnalysedStream(backend, c, { image, contentType: TAR, name, wait }, (signal) =>
      layer === undefined
        ? exportRootfs(host, image, within ?? '', signal)
        : exportLayerFiles(host, image, { layer, within: within ?? '' }, signal),
    )
  })

  app.openapi(getBundle, async (c) => {
    const query = c.req.valid('query')
    const image = await openFor(backend, c, { ...query, read: 'full' })
    const form = { image, contentType: TAR, name: `${nameOf(image)}-bundle.tar`, wait: query.wait }
    return answerAnalysedStream(backend, c, form, async function* (signal) {
      yield* exportBundle(host, image, await runtimeConfigOf(host, image, idsOf(query)), signal)
    })
  })

  app.openapi(getRuntimeConfig, async (c) => {
    const query = c.req.valid('query')
    const image = await openFor(backend, c, query)
    if (needsFiles(image)) await factsInTime(backend, c, image, query.wait)
    return answerStream(backend, c, { image, contentType: 'application/json' }, async function* () {
      yield new TextEncoder().encode(await runtimeConfigOf(host, image, idsOf(query)))
    })
  })

  app.openapi(getSbom, async (c) => {
    const query = c.req.valid('query')
    if (query.source === 'attached') return answerAttachedSbom(backend, c, query)
    const image = await openFor(backend, c, query)
    const form = { image, contentType: SBOM_MEDIA_TYPES[query.format], wait: query.wait }
    return answerAnalysedStream(backend, c, form, () => exportSbom(host, image, query.format))
  })
}

type StreamForm = {
  readonly image: OpenedImage
  readonly contentType: string
  /** The name of the file that it is saved to; absent if it is not an attachment. */
  readonly name?: string
}

type Pieces = (signal: AbortSignal) => AsyncIterable<Uint8Array>

/** These answers are saved to files: while the image is not analysed the answer is a problem and not a `202`. */
async function answerAnalysedStream(
  backend: Backend,
  context: RequestContext,
  { wait, ...form }: StreamForm & { readonly wait: number },
  make: Pieces,
): Promise<Response> {
  await factsInTime(backend, context, form.image, wait)
  return answerStream(backend, context, form, make)
}

async function answerStream(
  backend: Backend,
  context: RequestContext,
  { image, contentType, name }: StreamForm,
  make: Pieces,
): Promise<Response> {
  const headers = freshness(backend, context, cacheInputs([image]), contentType)
  const known = unchanged(context, headers)
  if (known !== undefined) return known
  headers.set('Content-Type', contentType)
  if (name !== undefined) headers.set('Content-Disposition', attachment(pathToKey(name)))
  if (context.req.method === 'HEAD') return new Response(null, { headers })
  const body = await streamBody(make, (error) => logCut(backend, context, error))
  return new Response(body, { headers })
}

function idsOf(query: { readonly rootless: '0' | '1'; readonly uid: number; readonly gid: number }) {
  return query.rootless === '1' ? { uid: query.uid, gid: query.gid } : undefined
}

/** `app-v1`, safe as a file name. */
function nameOf({ identity }: OpenedImage): string {
  const { repository = 'image', tag, digest } = identity
  const last = repository.slice(repository.lastIndexOf('/') + 1)
  return `${last}-${tag ?? digest.slice('sha256:'.length, 'sha256:'.length + 12)}`
}
