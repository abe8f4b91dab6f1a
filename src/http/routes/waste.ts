/** Bytes that an image stores for nothing: hidden files and duplicates. */
import { createRoute, z } from '@hono/zod-openapi'
import { whoseOf } from '../../base/whose.ts'
import {
  DUPLICATES_TABLE,
  duplicatesTotal,
  WASTE_ON_BASE_TABLE,
  WASTE_TABLE,
  wasteTotal,
} from '../../formats/list-tables.ts'
import { exclusionOf } from '../../gate/exclusion.ts'
import type { ObjectStore } from '../../host.ts'
import type { WastedFile } from '../../image/report.ts'
import { showWasted, type WastedRow } from '../../image/waste.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { inOrder } from '../../service/fleet/listings.ts'
import type { AnalysedImage } from '../../service/images/analyse.ts'
import { duplicatesOf, wasteOf } from '../../service/images/image-tables.ts'
import { imageSubject, openFor, type Subject } from '../answers.ts'
import type { App, Backend, RequestContext } from '../backend.ts'
import { type BaseImageQuery, openBase, referencesOf } from '../base-image.ts'
import { answerList, answerListOf, type Listed, openPinned } from '../lists.ts'
import { chosenForm } from '../negotiation.ts'
import { list, pending, problems } from '../openapi/describe.ts'
import { cursor, format, imageQuery, limit, optional, textQuery } from '../parameters.ts'
import {
  duplicateGroupSchema,
  duplicatePageSchema,
  wastedFileSchema,
  wastePageSchema,
} from './waste.schema.ts'

const FORMATS = ['json', 'ndjson', 'csv', 'markdown', 'text'] as const

const listWaste = createRoute({
  method: 'get',
  path: '/v1/waste',
  operationId: 'listWaste',
  tags: ['Reports'],
  summary: 'The wasted files of an image',
  description: 'Files that later layers removed, replaced or stored again; largest first.',
  request: {
    query: z.strictObject({
      ...imageQuery,
      baseImage: optional(
        'The image that this one is built on, or `auto`: each file then says whether its waste is the base’s or its own.',
      ),
      limit,
      cursor,
      format: format(FORMATS),
      ...textQuery,
    }),
  },
  responses: {
    200: list('The files.', wastePageSchema, wastedFileSchema, ['text/plain', 'text/markdown']),
    202: pending,
    ...problems('image'),
  },
})

const listDuplicates = createRoute({
  method: 'get',
  path: '/v1/duplicates',
  operationId: 'listDuplicates',
  tags: ['Reports'],
  summary: 'The duplicate files of an image',
  description: 'Groups of files with the same content, largest waste first. Hard links count as one file.',
  request: {
    query: z.strictObject({
      ...imageQuery,
      scope: z.enum(['image', 'layers']).default('image').openapi({
        description: '`image`: the merged file system; `layers`: all layers, hidden files too.',
      }),
      limit,
      cursor,
      format: format(FORMATS),
      ...textQuery,
    }),
  },
  responses: {
    200: list('The groups.', duplicatePageSchema, duplicateGroupSchema, ['text/plain', 'text/markdown']),
    202: pending,
    ...problems('image'),
  },
})

/** How many layers are the base's; undefined if no base image was asked for. */
type OnBase = { readonly baseLayers: number | undefined }

async function wasteSubject(
  backend: Backend,
  c: RequestContext,
  query: BaseImageQuery,
  pins: readonly string[] | undefined,
): Promise<Subject<AnalysedImage & OnBase>> {
  const references = referencesOf(query)
  const image =
    pins === undefined
      ? await openFor(backend, c, query, references)
      : await openPinned(backend, c, { reference: query.image, index: pins[0], references })
  const { base, isPublic } = await openBase(backend, c, query, image)
  const baseLayers = query.baseImage === undefined ? undefined : sharedWith(base, image)
  const subject = imageSubject(backend, c, image)
  return {
    ...subject,
    also: baseLayers?.toString(),
    isPublic,
    analyse: async (wait) => {
      const outcome = await subject.analyse(wait)
      return 'pending' in outcome ? outcome : { analysed: { ...outcome.analysed, baseLayers } }
    },
  }
}

/** @throws Problem `not_based_on` */
function sharedWith(base: OpenedImage | undefined, { config }: OpenedImage): number {
  const named = base && { reference: base.identity.reference, diffIds: base.config.diffIds }
  return exclusionOf([], config.diffIds, named)?.baseLayers ?? 0
}

async function wasteList(
  store: ObjectStore,
  { image, facts, baseLayers }: AnalysedImage & OnBase,
): Promise<Listed<WastedFile>> {
  const show = (row: WastedRow): WastedFile => {
    const shown = showWasted(row)
    if (baseLayers === undefined) return shown
    return { ...shown, whose: whoseOf({ byLayer: row.byLayer }, baseLayers) === 'base' ? 'base' : 'own' }
  }
  return { listing: inOrder({ from: await wasteOf(store, image), show }), total: wasteTotal(facts) }
}

export function addWaste(app: App, backend: Backend): void {
  const { store } = backend.host

  app.openapi(listWaste, (c) => {
    const { format, color, columns, ...query } = c.req.valid('query')
    const hasBase = query.baseImage !== undefined
    const fields = Object.keys(wastedFileSchema.shape)
    const form = {
      form: chosenForm(c, format, FORMATS),
      fields: hasBase ? fields : fields.filter((name) => name !== 'whose'),
      table: hasBase ? WASTE_ON_BASE_TABLE : WASTE_TABLE,
      style: { color, columns },
    }
    const open = (pins?: readonly string[]) => wasteSubject(backend, c, query, pins)
    return answerListOf(backend, c, { query, form, open, list: (analysed) => wasteList(store, analysed) })
  })

  app.openapi(listDuplicates, (c) => {
    const { format, color, columns, ...query } = c.req.valid('query')
    const form = {
      form: chosenForm(c, format, FORMATS),
      fields: Object.keys(duplicateGroupSchema.shape),
      table: DUPLICATES_TABLE,
      style: { color, columns },
    }
    return answerList(backend, c, { query, form }, async ({ image, facts }) => {
      const from = await duplicatesOf(store, image, query.scope)
      const listing = inOrder({
        from,
        show: ({ sha256, bytes, count, wastedBytes, paths }) => ({
          sha256,
          bytes,
          count,
          wastedBytes,
          paths,
        }),
      })
      return { listing, total: duplicatesTotal(facts, query.scope) }
    })
  })
}
