/**
 * The endpoints of the API, one or a few related ones in each file, with their schemas beside them. This one answers the
 * report on an image: sizes, waste, efficiency, or a treemap of them.
 */

import { createRoute, z } from '@hono/zod-openapi'
import { reportMarkdown } from '../../formats/report-markdown.ts'
import { reportText } from '../../formats/report-text.ts'
import { shortName } from '../../image/identity.ts'
import type { Report } from '../../image/report.ts'
import { treemapPicture } from '../../pages/treemap/draw.ts'
import { smallestShare } from '../../pages/treemap/layout.ts'
import { Problem } from '../../problem.ts'
import { countBaseLayers } from '../../service/base/auto.ts'
import { reportAdvice } from '../../service/images/advice.ts'
import type { AnalysedImage } from '../../service/images/analyse.ts'
import { measuredSaving } from '../../service/images/compression.ts'
import { TREEMAP_COLOURS, treemapOf } from '../../service/images/treemap.ts'
import { toJson } from '../../text/json.ts'
import { showPath } from '../../text/path.ts'
import { answerAnalysed, answerSubject, imageSubject, openFor } from '../answers.ts'
import type { App, Backend } from '../backend.ts'
import { baseCaller } from '../caller.ts'
import { chosenForm, contentTypeOf } from '../negotiation.ts'
import { json, pending, problems } from '../openapi/describe.ts'
import {
  directory,
  imageQuery,
  integer,
  pathBase64,
  pictureWidth,
  styleOf,
  textQuery,
} from '../parameters.ts'
import { pathAsked } from '../paths.ts'
import { forAnyPage } from '../pictures.ts'
import { reportSchema } from './report.schema.ts'

const picture = {
  width: pictureWidth,
  depth: integer({ min: 1, max: 8 }, 'Levels of directories in the treemap.')
    .default(4)
    .openapi({ default: 4 }),
  color: z
    .enum(['0', '1', ...TREEMAP_COLOURS])
    .optional()
    .openapi({
      description:
        'For `text`: `1` for a terminal. For `svg`: the layer of most bytes, the base image or what stands on it, the wasted share, the type of file, or the kind of package.',
    }),
  path: directory,
  pathBase64,
}

const FORMATS = ['json', 'markdown', 'text'] as const

const query = z.strictObject({
  ...imageQuery,
  format: z
    .enum([...FORMATS, 'svg'])
    .optional()
    .openapi({
      description:
        'Overrides `Accept`. `svg` is a treemap of the merged file system: areas are bytes. `width`, `depth` and `path` apply to it.',
    }),
  ...picture,
  columns: textQuery.columns,
})

const getReport = createRoute({
  method: 'get',
  path: '/v1/report',
  operationId: 'getReport',
  tags: ['Reports'],
  summary: 'What is inside an image',
  description: 'The first request starts the analysis: retry, or use `wait`.',
  request: { query },
  responses: {
    200: json('The report, or its treemap.', reportSchema, ['text/plain', 'text/markdown', 'image/svg+xml']),
    202: pending,
    ...problems('image'),
  },
})

export function addReport(app: App, backend: Backend): void {
  app.openapi(getReport, async (c) => {
    const asked = c.req.valid('query')
    if (asked.format !== 'svg') {
      const chosen = chosenForm(c, asked.format, FORMATS)
      const style = { color: colourIn(['0', '1'], asked.color), columns: asked.columns }
      const form = {
        contentType: contentTypeOf(chosen),
        pending: chosen === 'json' ? 'accepted' : 'unavailable',
      } as const
      if (chosen === 'json') return answerAnalysed(backend, c, { query: asked, form }, asJson)
      const image = await openFor(backend, c, asked)
      const saving = await measuredSaving(backend, image)
      const also = saving && JSON.stringify(saving)
      const subject = { ...imageSubject(backend, c, image), also }
      return answerSubject(backend, c, { subject, wait: asked.wait, form }, async (analysed) => {
        const view = { report: reportOf(analysed), advice: await reportAdvice(backend, analysed, saving) }
        return chosen === 'text' ? reportText(view, styleOf(style)) : reportMarkdown(view)
      })
    }
    const colour = colourIn(TREEMAP_COLOURS, asked.color)
    const form = { contentType: 'image/svg+xml; charset=utf-8', pending: 'unavailable' } as const
    const image = await openFor(backend, c, asked)
    const base =
      colour === 'base'
        ? await countBaseLayers(backend, image, baseCaller(backend, c, [asked.image]))
        : undefined
    const baseLayers = base?.count ?? 0
    const subject = {
      ...imageSubject(backend, c, image),
      also: String(baseLayers),
      isPublic: base?.isPublic,
    }
    const answer = await answerSubject(backend, c, { subject, wait: asked.wait, form }, (analysed) =>
      drawn(backend, analysed, { ...asked, colour, baseLayers }),
    )
    return forAnyPage(answer)
  })
}

/** @throws Problem `invalid_parameter` for a colour of another form */
function colourIn<Colour extends string>(
  colours: readonly [Colour, ...Colour[]],
  asked: string = colours[0],
): Colour {
  const colour = colours.find((one) => one === asked)
  if (colour !== undefined) return colour
  throw new Problem('invalid_parameter', `color must be one of ${colours.join(', ')}`, { parameter: 'color' })
}

function reportOf({ image, facts }: AnalysedImage): Report {
  return { image: image.identity, ...facts }
}

function asJson(analysed: AnalysedImage): string {
  return toJson(reportOf(analysed))
}

type Drawing = Pick<z.output<typeof query>, 'width' | 'depth' | 'path' | 'pathBase64'> & {
  readonly colour: (typeof TREEMAP_COLOURS)[number]
  readonly baseLayers: number
}

async function drawn(
  { host }: Backend,
  analysed: AnalysedImage,
  { width, depth, colour, baseLayers, path, pathBase64 }: Drawing,
): Promise<string> {
  const key = pathAsked({ path, pathBase64 }) ?? ''
  const frame = { width, height: Math.round(width * 0.5) }
  const question = { key, depth, colour, baseLayers, smallest: smallestShare(frame) }
  const top = await treemapOf(host.store, analysed, question)
  const { identity } = analysed.image
  const title = key === '' ? shortName(identity) : `${shortName(identity)} · ${showPath(key).path}`
  return treemapPicture({ top, colour, frame, title })
}
