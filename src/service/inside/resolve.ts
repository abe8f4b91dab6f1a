/** Paths that lead into archives: `opt/app.jar!/BOOT-INF/lib/x.jar`. A path that is really there, `!/` and all, comes first. */
import { createHash } from 'node:crypto'
import { type FoundFile, findFile, findMember } from '../../image/lookup.ts'
import type { ArEntry } from '../../inside/ar-members.ts'
import type { ArchiveEntry } from '../../inside/entries.ts'
import { contentSlice, type FileContent } from '../../inside/ranges.ts'
import { type TarEntry, tarContent } from '../../inside/tar-members.ts'
import { entryContent, isStored, storedContent } from '../../inside/zip-content.ts'
import type { ZipEntry } from '../../inside/zip-listing.ts'
import { scopeOf } from '../../oci/source-ref.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import {
  type ArchiveInside,
  InflateBudget,
  type Inside,
  type InsideOptions,
  readInside,
  tarChunks,
} from '../../open/open-inside.ts'
import type { Service } from '../../open/service.ts'
import { Problem } from '../../problem.ts'
import { toBytes, toHex } from '../../text/bytes.ts'
import { cleanPath } from '../../text/clean-path.ts'
import { type PathKey, showPath } from '../../text/path.ts'
import { openContent } from '../images/content.ts'
import { filesTable, layerIndexOf, membersTable } from '../images/image-tables.ts'
import { openLayerFile } from './layer-file.ts'
import { sequential } from './pieces.ts'

/** How deep a path leads into archives inside archives. */
const MAX_DEPTH = 4

export type PathQuestion = {
  readonly key: PathKey
  /** As one layer has it, even if a later one hides it. */
  readonly layer?: number | undefined
  readonly signal: AbortSignal
}

/** A file of an image, or one inside an archive of it. */
export type ResolvedFile = {
  readonly file: FoundFile
  readonly bytes: number
  /** Equal for equal contents: the digest of the file, and the path inside it. */
  readonly tag: string
  /** The content; it fails before its end if it is not what digest or checksum say. */
  readonly open: () => Promise<ReadableStream<Uint8Array>>
  readonly inside: () => Promise<Inside>
}

/** @throws Problem `path_not_found`, `invalid_parameter` for a path that leads too deep, and what is wrong with an archive */
export async function resolvePath(
  service: Service,
  image: OpenedImage,
  question: PathQuestion,
): Promise<ResolvedFile> {
  const { found, rest } = await findOuter(service, image, question)
  const tag = toHex(found.sha256)
  const { host } = service
  const outer = new Walk(service, image, found, question.signal)
  if (rest.length === 0) {
    return {
      file: found,
      bytes: found.bytes,
      tag,
      open: () => openContent(host, image, found),
      inside: () => outer.inside(),
    }
  }
  await outer.enter(rest)
  const names = createHash('sha256').update(rest.join('\0')).digest('hex').slice(0, 32)
  return {
    file: found,
    bytes: outer.bytes,
    tag: `${tag}-${names}`,
    open: async () => outer.stream(),
    inside: () => outer.inside(),
  }
}

/** The file in the image, and the parts of the path inside it. */
async function findOuter(
  { host }: Service,
  image: OpenedImage,
  { key, layer }: PathQuestion,
): Promise<{ readonly found: FoundFile; readonly rest: readonly string[] }> {
  const find = async (path: PathKey): Promise<FoundFile> => {
    if (layer === undefined) return findFile(await filesTable(host.store, image), path)
    return findMember((index) => membersTable(host.store, image, index), layer, path)
  }
  let missing: unknown
  try {
    return { found: await find(key), rest: [] }
  } catch (error) {
    if (!isMissing(error)) throw error
    missing = error.with({ image: image.identity.reference })
  }
  const parts = key.split('\0')
  const steps = stepsIn(parts)
  if (steps.length > MAX_DEPTH)
    throw new Problem(
      'invalid_parameter',
      `path leads ${steps.length} archives deep; the limit is ${MAX_DEPTH}`,
      { parameter: 'path' },
    )
  for (const end of steps.toReversed()) {
    try {
      return { found: await find(nameUpTo(parts, end)), rest: parts.slice(end + 1) }
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  throw missing
}

function isMissing(error: unknown): error is Problem {
  return error instanceof Problem && error.code === 'path_not_found'
}

/** Indices of the parts that end in `!` and are followed by more. */
export function stepsIn(parts: readonly string[]): number[] {
  return parts.flatMap((part, index) =>
    part.endsWith('!') && part !== '!' && index < parts.length - 1 ? [index] : [],
  )
}

/** The path up to a part, without its `!`. */
export function nameUpTo(parts: readonly string[], end: number): PathKey {
  return parts
    .slice(0, end + 1)
    .join('\0')
    .slice(0, -1)
}

/** Goes from a file into archives. */
class Walk {
  readonly #service: Service
  readonly #image: OpenedImage
  readonly #found: FoundFile
  readonly #options: InsideOptions
  readonly #signal: AbortSignal
  #content: FileContent | undefined
  #open: (() => AsyncGenerator<Uint8Array>) | undefined
  /** The names of the archives that were entered. */
  #names: string[] = []

  constructor(service: Service, image: OpenedImage, found: FoundFile, signal: AbortSignal) {
    const { configuration, wasm } = service.host
    const { limits } = configuration
    this.#service = service
    this.#image = image
    this.#found = found
    this.#signal = signal
    this.#options = { limits, wasm, budget: new InflateBudget(limits) }
  }

  get bytes(): number {
    return this.#content?.bytes ?? this.#found.bytes
  }

  async inside(): Promise<Inside> {
    const { manifest, source } = this.#image
    const layer = await layerIndexOf(this.#image, this.#found.layer)
    const { offset, bytes } = this.#found
    const place = [scopeOf(source.ref), manifest.layers[this.#found.layer]?.digest, layer, offset, bytes]
    const key = JSON.stringify([...place, ...this.#names])
    const { insides } = this.#service.memory
    const known = insides.get(key)
    if (known !== undefined) return known
    const inside = await readInside(await this.#file(), this.#options)
    insides.set(key, inside)
    return inside
  }

  async enter(parts: readonly string[]): Promise<void> {
    const inside = await this.inside()
    if (inside.kind === 'elf')
      throw new Problem('unknown_format', `${this.#shown()} is an ELF file: a path cannot lead into it`)
    const [entry, rest] = find(inside, parts)
    if (entry === undefined) throw this.#missing(parts, 'does not exist')
    const target = entry.type === 'hardlink' ? linked(inside, entry) : entry
    if (target?.type !== 'file') throw this.#missing(parts, `is not a regular file but a ${entry.type}`)
    await this.#open_(inside, target)
    this.#names = [...this.#names, parts.slice(0, parts.length - rest.length).join('/')]
    if (rest.length > 0) await this.enter(rest)
  }

  stream(): ReadableStream<Uint8Array> {
    const pieces = this.#open?.() ?? this.#content?.stream(0, this.bytes)
    if (pieces === undefined) throw new Error('no archive was entered')
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          try {
            const { done, value } = await pieces.next()
            if (done) controller.close()
            else controller.enqueue(value.slice())
          } catch (error) {
            controller.error(error)
          }
        },
        cancel: async () => {
          await pieces.return(undefined)
        },
      },
      { highWaterMark: 0 },
    )
  }

  async #file(): Promise<FileContent> {
    this.#content ??= await openLayerFile(this.#service.host, this.#image, this.#found, this.#signal)
    return this.#content
  }

  /** Makes the content of an entry the current file. */
  async #open_(inside: ArchiveInside, entry: ArchiveEntry): Promise<void> {
    const file = await this.#file()
    const { budget } = this.#options
    if (isZip(inside, entry)) {
      const { content } = entry
      const stored = await storedContent(file, content)
      if (!isStored(content)) budget.enter(entry.storedBytes, entry.bytes)
      const open = () => entryContent(stored, content)
      this.#open = open
      this.#content = isStored(content) ? stored : sequential(entry.bytes, open)
      return
    }
    this.#open = undefined
    if (isTar(inside, entry)) {
      const { compression } = inside
      const isPlain = compression === 'none' && !entry.isSparse
      const limit = budget.limitFor(file.bytes)
      const limits = { bytes: limit, entries: this.#options.limits.entries }
      const open = () =>
        tarContent(tarChunks(file, compression, { ...this.#options, limit }), limits, entry.ordinal)
      if (!isPlain) budget.enter(file.bytes, entry.bytes + (compression === 'none' ? 0 : entry.offset))
      this.#content = isPlain ? contentSlice(file, entry.offset, entry.bytes) : sequential(entry.bytes, open)
      if (!isPlain) this.#open = open
    } else if (isAr(inside, entry)) this.#content = contentSlice(file, entry.offset, entry.bytes)
  }

  #shown(): string {
    return [this.#names.at(-1) ?? 'the file'].map((name) => JSON.stringify(showPath(name).path)).join('')
  }

  #missing(parts: readonly string[], why: string): Problem {
    return new Problem(
      'path_not_found',
      `${JSON.stringify(showPath(parts.join('\0')).path)} in ${this.#shown()} ${why}`,
      {
        image: this.#image.identity.reference,
      },
    )
  }
}

function isZip({ kind }: ArchiveInside, entry: ArchiveEntry): entry is ZipEntry {
  return kind === 'zip' && 'content' in entry
}

function isTar({ kind }: ArchiveInside, entry: ArchiveEntry): entry is TarEntry {
  return kind === 'tar' && 'ordinal' in entry
}

function isAr({ kind }: ArchiveInside, entry: ArchiveEntry): entry is ArEntry {
  return kind === 'ar' && 'offset' in entry
}

/** The entry of the whole path, else of the longest beginning before a `!/`; of several of one name the last. */
function find(
  inside: ArchiveInside,
  parts: readonly string[],
): [ArchiveEntry | undefined, readonly string[]] {
  const whole = lastOf(inside, parts.join('\0'))
  if (whole !== undefined) return [whole, []]
  for (const end of stepsIn(parts).toReversed()) {
    const entry = lastOf(inside, nameUpTo(parts, end))
    if (entry !== undefined) return [entry, parts.slice(end + 1)]
  }
  return [undefined, []]
}

function lastOf(
  { entries }: ArchiveInside,
  key: PathKey,
  keeps: (entry: ArchiveEntry) => boolean = () => true,
): ArchiveEntry | undefined {
  for (let index = entries.count - 1; index >= 0; index--) {
    if (entries.key(index) !== key) continue
    const entry = entries.at(index)
    if (keeps(entry)) return entry
  }
  return undefined
}

function linked(inside: ArchiveInside, { link = '' }: ArchiveEntry): ArchiveEntry | undefined {
  return lastOf(inside, cleanPath(toBytes(link)).key, ({ type }) => type === 'file')
}
