/** What the layers of an image would have in other compressions, measured. */

import { createRoute, z } from '@hono/zod-openapi'
import { compressionMarkdown, compressionText } from '../../formats/compression-text.ts'
import { csvHeader, csvItem } from '../../formats/csv.ts'
import { type CompressionSetting, DEFAULT_SETTING, isSetting } from '../../oci/compression-setting.ts'
import { Problem } from '../../problem.ts'
import {
  type CompressionProgress,
  type CompressionReport,
  encodersOf,
  measureCompression,
  startMeasuring,
} from '../../service/images/compression.ts'
import { toJson } from '../../text/json.ts'
import { cacheControl, openFor, RETRY_AFTER_SECONDS } from '../answers.ts'
import type { App, Backend } from '../backend.ts'
import { taggedAnswer } from '../middleware/conditional.ts'
import { chosenForm, contentTypeOf, FORMS, type ListFormName } from '../negotiation.ts'
import { json, list, problems } from '../openapi/describe.ts'
import {
  format,
  image,
  platform,
  repeatable,
  styleOf,
  type TextQuery,
  textQuery,
  waitUpTo,
} from '../parameters.ts'
import { compressedLayerSchema, compressionProgressSchema, compressionSchema } from './compression.schema.ts'

const FORMATS = ['json', 'ndjson', 'csv', 'markdown', 'text'] as const
const COLUMNS = Object.keys(compressedLayerSchema.shape)
const MAX_SETTINGS = 4

const route = createRoute({
  method: 'get',
  path: '/v1/compression',
  operationId: 'getCompression',
  tags: ['Images'],
  summary: 'What the layers of an image would have in other compressions',
  description:
    'Measured, not estimated: it reads and compresses each layer, which can take minutes, and goes on while somebody asks. Not on Cloudflare.',
  request: {
    query: z.strictObject({
      image,
      platform,
      with: repeatable(
        '`zstd:1` to `zstd:19` or `gzip:1` to `gzip:9`, up to 4 of them; `zstd:3` by default.',
      ).optional(),
      layer: repeatable('Only these layers, counted from 0.').optional(),
      wait: waitUpTo(0),
      format: format(FORMATS),
      ...textQuery,
    }),
  },
  responses: {
    200: list('The layers.', compressionSchema, compressedLayerSchema, ['text/plain', 'text/markdown']),
    202: json('Not ready yet. `Retry-After` says when to retry.', compressionProgressSchema),
    ...problems('image', [501]),
  },
})

export function addCompression(app: App, backend: Backend): void {
  const measuring = startMeasuring()
  app.openapi(route, async (c) => {
    const query = c.req.valid('query')
    const settings = settingsOf(query.with)
    const layers = query.layer?.map(layerIndex)
    const form = chosenForm(c, query.format, FORMATS)
    // Before a registry is asked.
    encodersOf(backend)
    const opened = await openFor(backend, c, query)
    const measured = await measureCompression(backend, measuring, opened, {
      settings,
      layers: [...new Set(layers ?? opened.manifest.layers.keys())].sort((a, b) => a - b),
      seconds: query.wait,
      signal: c.req.raw.signal,
      admit: () => backend.rate.admit(backend.clientOf(c)),
    })
    if ('progress' in measured) return pendingAnswer(measured.progress, form)
    const { isPublic } = opened.source
    const headers = new Headers({
      'Content-Type': contentTypeOf(form),
      'Cache-Control': cacheControl(backend, { isPublic, isFixed: opened.reference.digest !== undefined }),
    })
    const body = write(opened.identity.reference, measured.report, form, query)
    return taggedAnswer(c, body, headers)
  })
}

function settingsOf(given: readonly string[] = [DEFAULT_SETTING]): readonly CompressionSetting[] {
  const settings = given.filter(isSetting)
  const unknown = given.find((setting) => !isSetting(setting))
  if (unknown !== undefined)
    throw refused('with', `is ${JSON.stringify(unknown)}; use zstd:1 to zstd:19 or gzip:1 to gzip:9`)
  if (settings.length > MAX_SETTINGS) throw refused('with', `may be given at most ${MAX_SETTINGS} times`)
  if (new Set(settings).size < settings.length) throw refused('with', 'has the same setting twice')
  return settings
}

function layerIndex(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw refused('layer', `is ${JSON.stringify(text)}; use the index of a layer, from 0`)
}

function refused(parameter: string, why: string): Problem {
  return new Problem('invalid_parameter', `${parameter} ${why}`, { parameter })
}

function pendingAnswer({ layers, layersDone }: CompressionProgress, form: ListFormName): Response {
  if (form !== 'json') {
    const detail = `${layersDone} of ${layers} layers are measured; ask again while it works on`
    throw new Problem('analysis_pending', detail, { retryAfter: RETRY_AFTER_SECONDS })
  }
  return new Response(toJson({ status: 'running', layers, layersDone }), {
    status: 202,
    headers: {
      'Content-Type': FORMS.json,
      'Cache-Control': 'no-store',
      'Retry-After': String(RETRY_AFTER_SECONDS),
    },
  })
}

function write(reference: string, report: CompressionReport, form: ListFormName, style: TextQuery): string {
  switch (form) {
    case 'json':
      return toJson(report)
    case 'ndjson':
      return report.layers.map((layer) => `${toJson(layer)}\n`).join('')
    case 'csv':
      return csvHeader(COLUMNS) + report.layers.map((layer) => csvItem(COLUMNS, { ...layer })).join('')
    case 'markdown':
      return compressionMarkdown(reference, report)
    case 'text':
      return compressionText(reference, report, styleOf(style))
  }
}
