/** The file browser: a directory, a search, or one file, of the merged file system or of one layer. */
import { z } from '@hono/zod-openapi'
import { allOf } from '../../concurrency.ts'
import { type ChildPosition, imageTree, layerTree, type TreeNode } from '../../image/tree.ts'
import type { Entry } from '../../layer/entry.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { archivedPage } from '../../pages/files/archived.ts'
import { type ContentView, FIRST_BYTES, viewContent } from '../../pages/files/content.ts'
import { directoryPage } from '../../pages/files/directory.ts'
import { filePage } from '../../pages/files/file.ts'
import { type FoundRow, searchPage } from '../../pages/files/search.ts'
import { parametersOf, permanentParametersOf } from '../../pages/image-links.ts'
import { insideSection, laterSection, unopenedSection } from '../../pages/inside/section.ts'
import type { Html } from '../../pages/page.ts'
import { Problem } from '../../problem.ts'
import { inOrder, largestFirst } from '../../service/fleet/listings.ts'
import type { AnalysedImage } from '../../service/images/analyse.ts'
import { type FileVersion, versionsOf } from '../../service/images/file-versions.ts'
import {
  directoriesTable,
  filesOf,
  filesTable,
  membersOf,
  membersTable,
} from '../../service/images/image-tables.ts'
import { leadsInto, openingOf, openPathInside } from '../../service/inside/open-path.ts'
import { type PathQuestion, type ResolvedFile, resolvePath } from '../../service/inside/resolve.ts'
import { toByteString, toBytes } from '../../text/bytes.ts'
import { baseName, isWithin, type PathKey, showPath } from '../../text/path.ts'
import type { App, Backend } from '../backend.ts'
import { globFilter } from '../glob-filter.ts'
import { analysedPage, imagePage, type PageBackend } from '../page-answers.ts'
import { integer } from '../parameters.ts'
import { pathAsked } from '../paths.ts'
import { parsed } from '../problems.ts'
import { showMember } from '../show-entry.ts'

const ROWS = 500
const FOUND_ROWS = 200

const query = z.object({
  image: z.string(),
  platform: z.string().optional(),
  path: z.string().optional(),
  pathBase64: z.string().optional(),
  layer: integer({ min: 0, max: 999_999 }, 'A layer.').optional(),
  sort: z.enum(['bytes', 'name']).default('bytes'),
  glob: z.string().optional(),
  at: z.string().optional(),
})

export type FilesQuery = z.output<typeof query>

export function addFilesPage(app: App, pages: PageBackend): void {
  const { backend } = pages
  app.get('/files', (c) =>
    imagePage(pages, c, { image: c.req.query('image'), platform: c.req.query('platform') }, () => {
      const given = Object.entries(c.req.query()).filter(([, value]) => value !== '')
      const asked = parsed(query, Object.fromEntries(given))
      return analysedPage(pages, c, asked, (analysed) => {
        const key = pathAsked(asked) ?? ''
        return asked.glob === undefined
          ? lookAt(backend, analysed, { key, layer: asked.layer, signal: c.req.raw.signal }, asked)
          : search(backend, analysed, key, { ...asked, glob: asked.glob })
      })
    }),
  )
}

function aboutOf({ image, facts }: AnalysedImage, asked: FilesQuery) {
  const { layer, sort } = asked
  return {
    identity: image.identity,
    parameters: parametersOf(image.identity),
    permanent: permanentParametersOf(image.identity),
    layers: facts.layers,
    layer,
    sort,
  }
}

/** The page of a directory, of a file, or of a path that leads into a file. */
export async function lookAt(
  backend: Backend,
  analysed: AnalysedImage,
  question: PathQuestion,
  asked: FilesQuery,
): Promise<Html> {
  const { key } = question
  const about = aboutOf(analysed, asked)
  const tree = await treeAt(backend, analysed, key, asked)
  if (tree?.type === 'directory') return directoryPage({ about, ...pageOf(tree, asked.at) })
  const versions = await versionsOf(backend.host.store, analysed.image, key)
  if (tree === undefined && versions.length === 0) {
    if (!leadsInto(key)) throw missing(key)
    return lookInside(backend, analysed, question, asked)
  }
  const shown = shownVersion(versions, asked.layer, tree)
  const isFile = shown?.entry.type === 'file' || shown?.entry.type === 'hardlink'
  const read = isFile ? await readFile(backend, analysed, question) : undefined
  return filePage({
    about,
    path: showPath(key),
    isShown: tree !== undefined && asked.layer === undefined,
    shown: shown && showMember(shown.entry, shown.layer),
    versions: versions.map(({ layer, entry }) => ({ layer, entry: showMember(entry, layer) })),
    content: read?.content,
    inside: read?.inside,
  })
}

/** The page of an entry of an archive, a directory of it, or an area of a program. */
async function lookInside(
  backend: Backend,
  analysed: AnalysedImage,
  question: PathQuestion,
  asked: FilesQuery,
): Promise<Html> {
  const { image } = analysed
  const about = aboutOf(analysed, asked)
  const path = showPath(question.key)
  const file = await fileInside(backend, image, question)
  if (file !== undefined) {
    const { content, inside } = await readResolved(backend, analysed, question, file)
    return archivedPage({ about, path, file: { bytes: file.bytes, content }, inside })
  }
  const opened = await openPathInside(backend, image, question)
  if (opened.tree.key === '') return lookAt(backend, analysed, { ...question, key: opened.key }, asked)
  const inside = await insideSection({ parameters: about.parameters, layer: asked.layer, opened })
  return archivedPage({ about, path, inside })
}

/** Undefined if no file is there: a directory may be. */
async function fileInside(
  backend: Backend,
  image: OpenedImage,
  question: PathQuestion,
): Promise<ResolvedFile | undefined> {
  try {
    return await resolvePath(backend, image, question)
  } catch (error) {
    if (error instanceof Problem && (error.code === 'path_not_found' || error.code === 'unknown_format'))
      return undefined
    throw error
  }
}

function shownVersion(
  versions: readonly FileVersion[],
  layer: number | undefined,
  tree: TreeNode | undefined,
): FileVersion | undefined {
  if (layer !== undefined) return versions.findLast((version) => version.layer === layer)
  return tree === undefined ? undefined : versions.findLast(({ entry }) => entry.whiteout === undefined)
}

/** Undefined if the path does not exist. */
async function treeAt(
  { host: { store } }: Backend,
  { image }: AnalysedImage,
  key: PathKey,
  { layer, sort: order, at }: FilesQuery,
): Promise<TreeNode | undefined> {
  // One more item tells whether there is a next page.
  const shape = { depth: 1, limit: ROWS + 1, order, after: childAt(key, at) }
  try {
    if (layer !== undefined) return await layerTree(await membersTable(store, image, layer), key, shape)
    const [files, directories] = await allOf([filesTable(store, image), directoriesTable(store, image)])
    return await imageTree({ files, directories }, key, shape)
  } catch (error) {
    if (error instanceof Problem && error.code === 'path_not_found') return undefined
    throw error
  }
}

/** One page of a directory, and where the next one begins. */
function pageOf(tree: TreeNode, at: string | undefined) {
  const { children = [] } = tree
  const last = children.length > ROWS ? children[ROWS - 1] : undefined
  return {
    tree: { ...tree, children: children.slice(0, ROWS) },
    isFirst: at === undefined,
    next: last && positionText(last),
  }
}

/** `bytes.name`, the name as base64url of its bytes. */
function positionText({ bytes, ...shown }: TreeNode): string {
  const name = baseName(
    pathAsked(shown.pathBase64 === undefined ? shown : { pathBase64: shown.pathBase64 }) ?? '',
  )
  return `${bytes}.${Buffer.from(toBytes(name)).toString('base64url')}`
}

/** @throws Problem `invalid_parameter` */
function childAt(directory: PathKey, at: string | undefined): ChildPosition | undefined {
  if (at === undefined) return undefined
  const [, bytes, name] = /^(\d{1,15})\.([\w-]+)$/.exec(at) ?? []
  if (bytes === undefined || name === undefined)
    throw new Problem('invalid_parameter', 'at is not valid: follow the link on the previous page', {
      parameter: 'at',
    })
  const base = toByteString(Buffer.from(name, 'base64url'))
  return { bytes: Number(bytes), key: directory === '' ? base : `${directory}\0${base}` }
}

/** What the page of a file shows of its bytes. */
type ReadFile = {
  /** The beginning, or the problem that prevents reading it. */
  readonly content: ContentView | Problem
  /** What it is made of. */
  readonly inside?: Html | undefined
}

async function readFile(
  backend: Backend,
  analysed: AnalysedImage,
  question: PathQuestion,
): Promise<ReadFile> {
  try {
    const file = await resolvePath(backend, analysed.image, question)
    return await readResolved(backend, analysed, question, file)
  } catch (error) {
    if (error instanceof Problem) return { content: error }
    throw error
  }
}

async function readResolved(
  backend: Backend,
  { image }: AnalysedImage,
  question: PathQuestion,
  file: ResolvedFile,
): Promise<ReadFile> {
  const { key, layer } = question
  const first = await beginningOf(file)
  if (first instanceof Problem) return { content: first }
  const content = viewContent(first, file.bytes)
  const opening = openingOf(key, first, file.bytes)
  if (opening === undefined) return { content }
  const parameters = parametersOf(image.identity)
  if (opening === 'asked') return { content, inside: laterSection(parameters, showPath(key), file.bytes) }
  try {
    const opened = await openPathInside(backend, image, question)
    return { content, inside: await insideSection({ parameters, layer, opened }) }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return error.code === 'unknown_format' ? { content } : { content, inside: unopenedSection(error) }
  }
}

async function beginningOf(file: ResolvedFile): Promise<Uint8Array | Problem> {
  try {
    const reader = (await file.open()).getReader()
    const chunks: Uint8Array[] = []
    let bytes = 0
    try {
      while (bytes < FIRST_BYTES) {
        const { value } = await reader.read()
        if (value === undefined) break
        chunks.push(value)
        bytes += value.byteLength
      }
    } finally {
      await reader.cancel().catch(() => {})
    }
    return Buffer.concat(chunks).subarray(0, FIRST_BYTES)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

/** A glob, of names if it has no `/`; without a glob's signs a part of a name (of a path, with a `/`), in any case. */
function nameFilter(asked: string): (path: string) => boolean {
  if (/[*?[{]/.test(asked)) {
    const isOfPaths = asked.includes('/') || asked.includes('**')
    return globFilter(isOfPaths ? asked : `**/${asked}`) ?? (() => true)
  }
  const wanted = asked.toLowerCase()
  if (wanted.includes('/')) return (path) => path.toLowerCase().includes(wanted)
  return (path) =>
    path
      .slice(path.lastIndexOf('/') + 1)
      .toLowerCase()
      .includes(wanted)
}

async function search(
  { host: { store } }: Backend,
  analysed: AnalysedImage,
  key: PathKey,
  asked: FilesQuery & { readonly glob: string },
): Promise<Html> {
  const { image } = analysed
  const { glob, layer, sort, at } = asked
  const matches = nameFilter(glob)
  const rows = {
    keeps: (entry: Entry) => isWithin(entry.key, key) && matches(showPath(entry.key).path),
    from: layer === undefined ? await filesOf(store, image) : await membersOf(store, image, layer),
  }
  const found = new WeakMap<object, FoundRow>()
  const shown = {
    ...rows,
    show: (entry: Entry) => {
      const row = showMember(entry, 'layer' in entry ? Number(entry.layer) : (layer ?? 0))
      found.set(row, row)
      return row
    },
  }
  const listing = sort === 'name' ? inOrder(shown) : largestFirst(shown, ({ bytes }) => bytes)
  const position = at === undefined ? undefined : /^\d{1,15}$/.test(at) ? Number(at) : at
  const { items, next } = await listing.page(position, FOUND_ROWS)
  const shownItems = items.flatMap((item) =>
    typeof item === 'object' && item !== null ? (found.get(item) ?? []) : [],
  )
  return searchPage({ about: aboutOf(analysed, asked), path: showPath(key), glob, items: shownItems, next })
}

function missing(key: PathKey): Problem {
  return new Problem('path_not_found', `${JSON.stringify(showPath(key).path)} is in no layer of the image`)
}
