import { createRoute, z } from '@hono/zod-openapi'
import { reportMarkdown } from '../../formats/report-markdown.ts'
import { reportText } from '../../formats/report-text.ts'
import { shortName } from '../../image/identity.ts'
import { treemapPicture } from '../../pages/treemap/draw.ts'
import { smallestShare } from '../../pages/treemap/layout.ts'
import { Problem } from '../../problem.ts'
import { adviceOf } from '../../service/advice.ts'
import type { AnalysedImage } from '../../service/analyse.ts'
import { TREEMAP_COLOURS, treemapOf } from '../../service/treemap.ts'
import { showPath } from '../../text/path.ts'
import { answerAnalysed } from '../answers.ts'
import type { App, Backend } from '../backend.ts'
import { chosenForm, contentTypeOf } from '../negotiation.ts'
import { pending, problems } from '../openapi/describe.ts'
import { imageQuery, integer, pathBase64, styleOf, type TextQuery, textQuery } from '../parameters.ts'
import { pathAsked } from '../paths.ts'
import { reportSchema } from './report.schema.ts'

const picture = {
  width: integer({ min: 200, max: 2000 }, { description: 'Width of the treemap in pixels.', example: 800 })
    .default(960)
    .openapi({ default: 960 }),
  depth: integer({ min: 1, max: 8 }, { description: 'Levels of directories in the treemap.', example: 3 })
    .default(4)
    .openapi({ default: 4 }),
  color: z
    .enum(['0', '1', ...TREEMAP_COLOURS])
    .optional()
    .openapi({
      description:
        'With `text`: `1` for a terminal. With `svg`: what the colours of the treemap mean: the layer of most bytes, the wasted share, the type of file, or the kind of package.',
      example: 'waste',
    }),
  path: z.string().optional().openapi({
    description: 'The directory that the treemap shows; the root by default.',
    example: 'usr/lib',
  }),
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
        'Format of the report; overrides `Accept`. `svg` is a treemap of the merged file system, for READMEs and pull requests: areas are bytes. `width`, `depth` and `path` apply only to it.',
      example: 'svg',
    }),
  ...picture,
  columns: textQuery.columns,
})

const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 594" role="img" aria-label="alpine:3.20: 7.8 MB"/>'

const getReport = createRoute({
  method: 'get',
  path: '/v1/report',
  operationId: 'getReport',
  tags: ['Reports'],
  summary: 'What is inside an image',
  description:
    'Sizes, counts, layers, waste, duplicates, efficiency, the largest files and directories, packages and warnings. The first request starts the analysis: ask again, or use `wait`.',
  request: { query },
  responses: {
    200: {
      description: 'The report, or its treemap.',
      content: {
        'application/json': { schema: reportSchema },
        'text/plain': {
          schema: { type: 'string' as const },
          example: 'docker.io/library/app:v1 (linux/amd64)\n',
        },
        'text/markdown': {
          schema: { type: 'string' as const },
          example: '### `docker.io/library/app:v1`\n',
        },
        'image/svg+xml': { schema: { type: 'string' as const }, example: SVG },
      },
    },
    202: pending,
    ...problems('analysed', { 404: ['path_not_found'] }),
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
      return answerAnalysed(backend, c, { query: asked, form }, (analysed) =>
        write(backend, analysed, chosen, style),
      )
    }
    const colour = colourIn(TREEMAP_COLOURS, asked.color)
    const form = { contentType: 'image/svg+xml; charset=utf-8', pending: 'unavailable' } as const
    const answer = await answerAnalysed(backend, c, { query: asked, form }, (analysed) =>
      drawn(backend, analysed, { ...asked, colour }),
    )
    // As badges: a picture for anybody's page, and for a look at the file itself.
    answer.headers.set('Cross-Origin-Resource-Policy', 'cross-origin')
    answer.headers.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'")
    return answer
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

async function write(
  backend: Backend,
  analysed: AnalysedImage,
  form: (typeof FORMATS)[number],
  style: TextQuery,
): Promise<string> {
  const report = { image: analysed.image.identity, ...analysed.facts }
  if (form === 'json') return JSON.stringify(report)
  const view = { report, advice: await adviceOf(backend.host.store, analysed) }
  return form === 'text' ? reportText(view, styleOf(style)) : reportMarkdown(view)
}

type Drawing = Pick<z.output<typeof query>, 'width' | 'depth' | 'path' | 'pathBase64'> & {
  readonly colour: (typeof TREEMAP_COLOURS)[number]
}

async function drawn(
  { host }: Backend,
  analysed: AnalysedImage,
  { width, depth, colour, path, pathBase64 }: Drawing,
): Promise<string> {
  const key = pathAsked({ path, pathBase64 }) ?? ''
  const frame = { width, height: Math.round(width * 0.5) }
  const top = await treemapOf(host.store, analysed, { key, depth, colour, smallest: smallestShare(frame) })
  const { identity } = analysed.image
  const title = key === '' ? shortName(identity) : `${shortName(identity)} · ${showPath(key).path}`
  return treemapPicture({ top, colour, frame, title, layers: analysed.facts.layers.length })
}
