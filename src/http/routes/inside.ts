/** What one file is made of. */
import { createRoute, z } from '@hono/zod-openapi'
import { LARGEST_PARTS_TABLE } from '../../formats/inside-tables.ts'
import type { ArchiveEntry } from '../../inside/entries.ts'
import type { Inside } from '../../open/open-inside.ts'
import {
  type InsideFilter,
  type InsideSort,
  largestParts,
  listInside,
} from '../../service/inside/list-inside.ts'
import { type ResolvedFile, resolvePath } from '../../service/inside/resolve.ts'
import { formatBytes } from '../../text/format.ts'
import { type PathKey, showPath } from '../../text/path.ts'
import type { App, Backend } from '../backend.ts'
import { globFilter } from '../glob-filter.ts'
import { answerList } from '../lists.ts'
import { chosenForm } from '../negotiation.ts'
import { list, pending, problems } from '../openapi/describe.ts'
import { cursor, format, glob, imageQuery, layer, limit, path, pathBase64, textQuery } from '../parameters.ts'
import { requirePath } from '../paths.ts'
import { showLink, showTime } from '../show-entry.ts'
import { insideItemSchema, insideSchema } from './inside.schema.ts'

const FORMATS = ['json', 'ndjson', 'csv', 'markdown', 'text'] as const
const SORTS = ['path', '-bytes', '-storedBytes'] as const satisfies readonly InsideSort[]

const getInside = createRoute({
  method: 'get',
  path: '/v1/inside',
  operationId: 'getInside',
  tags: ['Reports'],
  summary: 'What one file is made of',
  description:
    'Entries of a zip, tar or ar archive; sections and areas of an ELF file, and the modules of a Go program. A path may lead into archives: `app.jar!/lib/x.jar`.',
  request: {
    query: z.strictObject({
      ...imageQuery,
      path,
      pathBase64,
      layer,
      glob,
      sort: z.enum(SORTS).optional().openapi({ description: "By default in the file's order." }),
      limit,
      cursor,
      format: format(FORMATS),
      ...textQuery,
    }),
  },
  responses: {
    200: list('The parts.', insideSchema, insideItemSchema, ['text/plain', 'text/markdown']),
    202: pending,
    ...problems('image'),
  },
})

const ENTRY_FIELDS = ['path', 'pathBase64', 'type', 'bytes', 'storedBytes', 'mtime', 'link', 'linkBase64']
const SECTION_FIELDS = ['name', 'type', 'bytes', 'area']

export function addInside(app: App, backend: Backend): void {
  app.openapi(getInside, (c) => {
    const { format, color, columns, ...query } = c.req.valid('query')
    const key = requirePath(query)
    const filter = { sort: query.sort, matches: globFilter(query.glob) }
    const chosen = chosenForm(c, format, FORMATS)
    const isForPeople = chosen === 'text' || chosen === 'markdown'
    const form = { form: chosen, fields: [], table: LARGEST_PARTS_TABLE, style: { color, columns } }
    return answerList<object>(backend, c, { query, form }, async ({ image }) => {
      const file = await resolvePath(backend, image, { key, layer: query.layer, signal: c.req.raw.signal })
      const inside = await file.inside()
      return {
        listing: isForPeople ? await partsForPeople(inside, filter) : listInside(inside, filter, SHOW),
        total: `${showPath(key).path}: ${inside.kind}, ${formatBytes(file.bytes)}`,
        facts: factsOf(inside, key, file),
        fields: inside.kind === 'elf' ? SECTION_FIELDS : ENTRY_FIELDS,
      }
    })
  })
}

async function partsForPeople(inside: Inside, filter: InsideFilter) {
  const items = await largestParts(inside, filter)
  return {
    page: async () => ({ items }),
    async *all() {
      yield items
    },
  }
}

const SHOW = { entry: showEntry, section: (section: object) => section }

function showEntry({
  key,
  type,
  bytes,
  storedBytes,
  mtime,
  link,
}: ArchiveEntry): z.infer<typeof insideItemSchema> {
  return {
    ...showPath(key),
    type,
    bytes,
    ...(storedBytes === undefined ? {} : { storedBytes }),
    ...(mtime === undefined ? {} : { mtime: showTime(mtime) }),
    ...(link === undefined ? {} : showLink(link)),
  }
}

function factsOf(
  inside: Inside,
  key: PathKey,
  { file: { layer }, bytes }: ResolvedFile,
): Omit<z.infer<typeof insideSchema>, 'items'> {
  const about = { ...showPath(key), bytes, layer, kind: inside.kind }
  if (inside.kind === 'elf') {
    const { areas, facts, modules } = inside
    return {
      ...about,
      areas: [...areas],
      elf: { ...facts, needed: [...facts.needed] },
      ...(modules === undefined ? {} : { modules: [...modules] }),
    }
  }
  const { compression, warnings } = inside
  return {
    ...about,
    ...(compression === 'none' ? {} : { compression }),
    ...(warnings.length === 0 ? {} : { warnings: [...warnings] }),
  }
}
