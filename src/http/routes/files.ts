/** Lists and filters the paths of an image, or of one of its layers. */
import { createRoute, z } from '@hono/zod-openapi'
import type { ObjectStore } from '../../host.ts'
import type { MergedEntry } from '../../image/merged-entry.ts'
import type { Entry } from '../../layer/entry.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { Problem } from '../../problem.ts'
import { inOrder, type Listing, largestFirst, type Rows } from '../../service/fleet/listings.ts'
import { filesOf, membersOf } from '../../service/images/image-tables.ts'
import { ownedFiles } from '../../service/images/package-owners.ts'
import { showPath } from '../../text/path.ts'
import type { App, Backend } from '../backend.ts'
import { globFilter } from '../glob-filter.ts'
import { answerList } from '../lists.ts'
import { chosenForm } from '../negotiation.ts'
import { list, pending, problems } from '../openapi/describe.ts'
import { cursor, format, glob, imageQuery, integer, layer, limit } from '../parameters.ts'
import { showFile, showMember } from '../show-entry.ts'
import { entryTypeSchema, filePageSchema, fileSchema } from './files.schema.ts'

const FORMATS = ['json', 'ndjson', 'csv'] as const

const query = z.strictObject({
  ...imageQuery,
  layer,
  glob,
  type: entryTypeSchema.optional().openapi({ description: 'Only paths of this type.' }),
  minBytes: integer({ min: 0, max: Number.MAX_SAFE_INTEGER }, 'Only paths of at least this size.').optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'is not 64 hex digits in lower case')
    .optional()
    .openapi({ description: 'Only regular files with this content.' }),
  owned: z.enum(['true', 'false']).optional().openapi({
    description: 'Only regular files that some package owns, or that none does. Not with `layer`.',
  }),
  sort: z.enum(['path', '-bytes']).default('path').openapi({
    description: 'By path (`/` sorts first) or by size, largest first.',
  }),
  limit,
  cursor,
  format: format(FORMATS),
})

type FilesQuery = Omit<z.output<typeof query>, 'format'>

const listFiles = createRoute({
  method: 'get',
  path: '/v1/files',
  operationId: 'listFiles',
  tags: ['Reports'],
  summary: 'The files of an image, or of one layer',
  description:
    'The merged file system as a container sees it, where a hard link is a `file` with its target’s content and `inode`; or with `layer` the members of its tar, whiteouts included.',
  request: { query },
  responses: {
    200: list('The files.', filePageSchema, fileSchema),
    202: pending,
    ...problems('image'),
  },
})

export function addFiles(app: App, backend: Backend): void {
  const { store } = backend.host
  app.openapi(listFiles, (c) => {
    const { format, ...asked } = c.req.valid('query')
    const keeps = filterOf(asked)
    if (asked.owned !== undefined && asked.layer !== undefined)
      throw new Problem('invalid_parameter', 'owned is about the whole image; leave out owned or layer', {
        parameter: 'owned',
      })
    const form = {
      form: chosenForm(c, format, FORMATS),
      fields: Object.keys(fileSchema.shape),
    }
    return answerList<object>(backend, c, { query: asked, form }, async ({ image }) => {
      const { layer } = asked
      if (layer === undefined) {
        const isListed = await ownedFilter(store, image, asked.owned)
        const kept = inBoth(keeps, isListed)
        return { listing: ordered(asked, { from: await filesOf(store, image), keeps: kept, show: showFile }) }
      }
      const from = await membersOf(store, image, layer)
      return { listing: ordered(asked, { from, keeps, show: (entry) => showMember(entry, layer) }) }
    })
  })
}

function ordered<Row extends Entry, Item>(asked: FilesQuery, rows: Rows<Row, Item>): Listing<Item> {
  return asked.sort === 'path' ? inOrder(rows) : largestFirst(rows, (entry) => entry.bytes)
}

type Filter = (entry: MergedEntry) => boolean

async function ownedFilter(
  store: ObjectStore,
  image: OpenedImage,
  owned: FilesQuery['owned'],
): Promise<Filter | undefined> {
  if (owned === undefined) return undefined
  const isOwned = await ownedFiles(store, image)
  return (entry) => entry.type === 'file' && isOwned(entry) === (owned === 'true')
}

function inBoth(one: Filter | undefined, other: Filter | undefined): Filter | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return (entry) => one(entry) && other(entry)
}

/** @throws Problem `invalid_parameter` if the glob is invalid */
function filterOf({ glob, type, minBytes = 0, sha256 }: FilesQuery): ((entry: Entry) => boolean) | undefined {
  const matches = globFilter(glob)
  const content = sha256 === undefined ? undefined : Buffer.from(sha256, 'hex').toString('latin1')
  if (matches === undefined && type === undefined && minBytes === 0 && content === undefined) return undefined
  return (entry) =>
    (type === undefined || entry.type === type) &&
    entry.bytes >= minBytes &&
    (content === undefined || entry.sha256 === content) &&
    (matches === undefined || matches(showPath(entry.key).path))
}
