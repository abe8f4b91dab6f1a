/** What the explorer asks about one image: the routes that the other commands ask, in this process or of a service. */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { MEMBER_TYPES } from '../../src/tar/member.ts'
import { type ByteString, decodeText, encodeText, toBase64, toByteString } from '../../src/text/bytes.ts'
import { type AnalysisProgress, type ApiCaller, ask, progressOf, send, stateIn, type Target } from '../ask.ts'
import { lineBatches } from '../line-batches.ts'
import { failureOf, problemCode } from '../problem.ts'

const pathSchema = { path: z.string(), pathBase64: z.string().optional() }

const nodeSchema = z.object({
  ...pathSchema,
  type: z.enum(MEMBER_TYPES),
  bytes: z.number(),
  files: z.number(),
})
const treeSchema = nodeSchema.extend({ children: z.array(nodeSchema).default([]) })
export type TreeAnswer = z.output<typeof treeSchema>

export const fileSchema = z.object({
  ...pathSchema,
  type: z.enum(MEMBER_TYPES),
  bytes: z.number(),
  mode: z.string(),
  uid: z.number(),
  gid: z.number(),
  mtime: z.string(),
  layer: z.number(),
  sha256: z.string().optional(),
  link: z.string().optional(),
  linkBase64: z.string().optional(),
  whiteout: z.enum(['file', 'opaque', 'aufs']).optional(),
  /** In the merged file system: equal for the hard links of one file. */
  inode: z.number().optional(),
})
export type FileItem = z.output<typeof fileSchema>

const rowSchema = fileSchema.pick({ path: true, pathBase64: true, type: true, bytes: true, mtime: true })

const layerSchema = z.object({
  index: z.number(),
  digest: z.string(),
  diffId: z.string(),
  compression: z.string(),
  compressedBytes: z.number(),
  uncompressedBytes: z.number().optional(),
  fileBytes: z.number(),
  entries: z.number(),
  wastedBytes: z.number(),
  created: z.string().optional(),
  createdBy: z.string().optional(),
})
export type Layer = z.output<typeof layerSchema>

const reportSchema = z.object({
  image: z.looseObject({
    reference: z.string(),
    platform: z.string(),
    digest: z.string(),
    id: z.string(),
    created: z.string().optional(),
  }),
  size: z.object({
    compressedBytes: z.number(),
    uncompressedBytes: z.number().optional(),
    fileBytes: z.number(),
    rootfsBytes: z.number(),
    apparentBytes: z.number(),
  }),
  counts: z.object({ layers: z.number(), paths: z.number(), files: z.number() }),
  layers: z.array(layerSchema),
})
export type Report = z.output<typeof reportSchema>

const pageSchema = z.object({ items: z.array(z.unknown()), nextCursor: z.string().optional() })
export type Page = z.output<typeof pageSchema>

const ownersSchema = z.object({
  items: z.array(z.object({ type: z.string(), name: z.string(), version: z.string().optional() })),
})
export type Owner = z.output<typeof ownersSchema>['items'][number]

/** Children of a folder that the API lists at most. */
export const MOST_CHILDREN = 1_000
const POLL_MILLISECONDS = 200
/** Of a list, before keys have their turn. */
const LINES_AT_ONCE = 500

export class Questions {
  readonly target: Target
  readonly #caller: ApiCaller
  readonly #image: URLSearchParams

  /** @param read `full`, or `toc` for tables of contents */
  constructor(caller: ApiCaller, target: Target, read: string | undefined) {
    this.target = target
    this.#caller = caller
    this.#image = new URLSearchParams({ image: target.image })
    if (target.platform !== undefined) this.#image.set('platform', target.platform)
    if (read !== undefined) this.#image.set('read', read)
  }

  /** @param onProgress called while the image is read */
  async opened(onProgress: (progress: AnalysisProgress) => void): Promise<TreeAnswer> {
    const { signal } = this.#caller
    for (;;) {
      const query = this.#query({ wait: '0', limit: String(MOST_CHILDREN) })
      const response = await send(this.#caller, { path: '/v1/tree', query, accept: 'application/json' })
      if (response.status === 200) return treeSchema.parse(await response.json())
      const isSaving = response.status === 503 && (await problemCode(response)) === 'analysis_pending'
      if (response.status !== 202 && !isSaving) throw await failureOf(response, this.#caller.client.reader)
      const pending = await stateIn(response)
      if (pending?.id === undefined) await sleep(POLL_MILLISECONDS, undefined, { signal })
      else for await (const progress of progressOf(this.#caller, pending, signal)) onProgress(progress)
    }
  }

  async folder(path: ByteString): Promise<TreeAnswer> {
    const query = this.#query({ limit: String(MOST_CHILDREN), ...pathParameter(path) })
    return treeSchema.parse(await this.#json('/v1/tree', query))
  }

  async report(): Promise<Report> {
    return reportSchema.parse(await this.#json('/v1/report', this.#query({})))
  }

  async config(): Promise<unknown> {
    const query = this.#query({})
    query.delete('read')
    return this.#json('/v1/config', query)
  }

  /** Any list, page by page. */
  async page(path: string, given: Readonly<Record<string, string>>): Promise<Page> {
    return pageSchema.parse(await this.#json(path, this.#query(given)))
  }

  /** What a file is made of. */
  async inside(given: Readonly<Record<string, string>>): Promise<unknown> {
    return this.#json('/v1/inside', this.#query(given))
  }

  /** The packages that own a path. */
  async owners(path: ByteString): Promise<readonly Owner[]> {
    const { text, exact } = decodeText(path)
    if (!exact) return []
    return ownersSchema.parse(await this.#json('/v1/packages', this.#query({ owns: text, limit: '1000' })))
      .items
  }

  async advice(): Promise<unknown> {
    return this.#json('/v1/advice', this.#query({}))
  }

  /** A list about this image and a later one. */
  async changes(to: Questions, given: Readonly<Record<string, string>>): Promise<Page> {
    return pageSchema.parse(await this.#json('/v1/diff/files', this.#pair(to, given), [to.target]))
  }

  /** The files of the image or of a layer in path order, as they arrive. */
  files({
    layer,
    type,
  }: {
    readonly layer?: number
    readonly type?: string
  } = {}): AsyncGenerator<readonly FileItem[]> {
    return this.#items(fileSchema, { ...layerParameter(layer), ...(type === undefined ? {} : { type }) })
  }

  /** The files of the image, with what a tree shows of them. */
  rows(): AsyncGenerator<readonly z.output<typeof rowSchema>[]> {
    return this.#items(rowSchema, {})
  }

  async *#items<Schema extends z.ZodType>(
    schema: Schema,
    given: Readonly<Record<string, string>>,
  ): AsyncGenerator<readonly z.output<Schema>[]> {
    const query = this.#query({ ...given, format: 'ndjson' })
    for await (const lines of lineBatches(await this.#ask('/v1/files', query)))
      for (let at = 0; at < lines.length; at += LINES_AT_ONCE)
        yield lines
          .slice(at, at + LINES_AT_ONCE)
          .filter((line) => line !== '')
          .map((line) => schema.parse(JSON.parse(line)))
  }

  /** The content of a file. */
  async content(path: ByteString, layer?: number): Promise<Response> {
    return this.#ask('/v1/file', this.#query({ ...pathParameter(path), ...layerParameter(layer) }))
  }

  /** A folder with all below it, as the image or what a layer has of it, as a tar. */
  async tar(path: ByteString, layer?: number): Promise<Response> {
    // Without a path a layer's tar has its whiteouts too.
    const given = { ...pathParameter(path === '' ? '/' : path), ...layerParameter(layer) }
    return this.#ask('/v1/export', this.#query(given))
  }

  #query(given: Readonly<Record<string, string>>): URLSearchParams {
    return new URLSearchParams([...this.#image, ...Object.entries(given)])
  }

  #pair(to: Questions, given: Readonly<Record<string, string>>): URLSearchParams {
    const query = new URLSearchParams({ from: this.target.image, to: to.target.image, ...given })
    for (const [name, { target }] of [
      ['fromPlatform', this],
      ['toPlatform', to],
    ] as const)
      if (target.platform !== undefined) query.set(name, target.platform)
    return query
  }

  #ask(path: string, query: URLSearchParams, more: readonly Target[] = []): Promise<Response> {
    return ask(this.#caller, { path, query, targets: [this.target, ...more] })
  }

  async #json(path: string, query: URLSearchParams, more: readonly Target[] = []): Promise<unknown> {
    const targets = [this.target, ...more]
    return (await ask(this.#caller, { path, query, targets, accept: 'application/json' })).json()
  }
}

export function pathParameter(path: ByteString): Readonly<Record<string, string>> {
  const { text, exact } = decodeText(path)
  return exact ? { path: text } : { pathBase64: toBase64(path) }
}

export function layerParameter(layer: number | undefined): Readonly<Record<string, string>> {
  return layer === undefined ? {} : { layer: String(layer) }
}

/** The bytes of a path in an answer. */
export function pathOf({
  path,
  pathBase64,
}: {
  readonly path: string
  readonly pathBase64?: string | undefined
}): ByteString {
  return pathBase64 === undefined ? encodeText(path) : toByteString(Buffer.from(pathBase64, 'base64'))
}
