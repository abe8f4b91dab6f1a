/**
 * What one layer did, and the file system up to a layer: made of the members of the layers, which arrive in path order, so that
 * all layers are walked at once.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { MemberType } from '../../src/tar/member.ts'
import { type ByteString, encodeText, toByteString } from '../../src/text/bytes.ts'
import type { Listing, Sign } from './listing.ts'
import { ListingBuilder, secondsOf } from './load.ts'
import { type FileItem, pathOf, type Questions } from './questions.ts'

export type LayerView = {
  readonly listing: Listing
  /** By row: how much more or less the image shows since this layer; only in what a layer did. */
  readonly deltas: ReadonlyMap<number, number>
}

/** `did`: what the layer did; `upTo`: what the layers up to it show. */
export type LayerMode = 'did' | 'upTo'

export type LayerQuestion = {
  readonly mode: LayerMode
  readonly layer: number
  readonly signal: AbortSignal
}

/** A member, at the path that it is about: a whiteout is at what it hides. */
type Member = { readonly path: ByteString; readonly key: string; readonly item: FileItem }

/** Paths between two turns of the event loop. */
const PATHS_AT_ONCE = 500

export async function layerView(
  questions: Questions,
  { mode, layer, signal }: LayerQuestion,
): Promise<LayerView> {
  const sizes = await linkTargets(questions, layer)
  const walk = new Walk(layer)
  const builder = new ListingBuilder()
  const shown: Shown[] = []
  let paths = 0
  for await (const { path, events } of members(questions, layer)) {
    for (const { item, layer: from } of events) sizes.see(path, item, from)
    const one = walk.at(path, events)
    const sign = mode === 'did' ? signOf(one, layer) : undefined
    const outcome = mode === 'did' ? (one.after ?? one.before) : one.after
    if (outcome !== undefined && (mode === 'upTo' || sign !== null)) {
      const row = builder.add(path, aboutOf(outcome.item, sign ?? undefined))
      shown.push({ row, path, ...one })
    }
    if (++paths % PATHS_AT_ONCE > 0) continue
    await turn()
    signal.throwIfAborted()
  }
  const deltas = new Map<number, number>()
  for (const { row, path, before, after } of shown) {
    const bytes = sizes.of(path, after) ?? 0
    const was = sizes.of(path, before) ?? 0
    const isFile = sizes.of(path, after ?? before) !== undefined
    builder.setSize(row, { bytes: after === undefined ? was : bytes, files: isFile ? 1 : 0 })
    if (mode === 'did') deltas.set(row, bytes - was)
  }
  return { listing: builder.finish(), deltas }
}

type Shown = { readonly row: number; readonly path: ByteString } & Change

function aboutOf(item: FileItem, sign: Sign | undefined) {
  const type: MemberType = item.type === 'hardlink' ? 'file' : item.type
  return { type, bytes: 0, files: 0, time: secondsOf(item), sign }
}

type LayerEvent = { readonly item: FileItem; readonly layer: number }

type Change = { readonly before: LayerEvent | undefined; readonly after: LayerEvent | undefined }

/** Null for what the layer does not touch. */
function signOf({ before, after }: Change, layer: number): Sign | undefined | null {
  if (after === undefined) return before === undefined ? null : '-'
  if (before === undefined) return '+'
  if (after.layer !== layer) return null
  const isFolder = before.item.type === 'directory' && after.item.type === 'directory'
  const isSame = (['mode', 'uid', 'gid'] as const).every((name) => before.item[name] === after.item[name])
  return isFolder && isSame ? undefined : '~'
}

/** What is at each path before and after a layer. */
class Walk {
  readonly #layer: number
  readonly #above: { readonly path: ByteString; readonly hides: readonly [number, number] }[] = []

  constructor(layer: number) {
    this.#layer = layer
  }

  /** @param events of a path, the lowest layer first */
  at(path: ByteString, events: readonly LayerEvent[]): Change {
    while (this.#above.length > 0 && !path.startsWith(`${this.#above.at(-1)?.path}/`)) this.#above.pop()
    const [hidesBefore = 0, hidesAfter = 0] = this.#above.at(-1)?.hides ?? []
    const before = outcome(events, this.#layer - 1, hidesBefore)
    const after = outcome(events, this.#layer, hidesAfter)
    this.#above.push({ path, hides: [before.hides, after.hides] })
    return { before: before.shown, after: after.shown }
  }
}

/** @param hidden members of lower layers are hidden by what is above the path */
function outcome(
  events: readonly LayerEvent[],
  last: number,
  hidden: number,
): { readonly shown: LayerEvent | undefined; readonly hides: number } {
  let shown: LayerEvent | undefined
  let hides = hidden
  for (const event of events) {
    const { item, layer } = event
    if (layer > last) break
    if (item.whiteout === 'file') {
      if (shown !== undefined && shown.layer < layer) shown = undefined
      hides = Math.max(hides, layer)
    } else if (item.whiteout === 'opaque') hides = Math.max(hides, layer)
    else if (item.whiteout === undefined && layer >= hidden) {
      shown = event
      if (item.type !== 'directory') hides = Math.max(hides, layer)
    }
  }
  return { shown, hides }
}

/** The sizes of files, also of those that hard links lead to. */
class Sizes {
  readonly #targets: ReadonlySet<ByteString>
  readonly #seen = new Map<ByteString, LayerEvent[]>()

  constructor(targets: ReadonlySet<ByteString>) {
    this.#targets = targets
  }

  see(path: ByteString, item: FileItem, layer: number): void {
    if (!this.#targets.has(path) || item.whiteout !== undefined) return
    this.#seen.set(path, [...(this.#seen.get(path) ?? []), { item, layer }])
  }

  /** Undefined unless it is a file. */
  of(path: ByteString, event: LayerEvent | undefined, depth = 0): number | undefined {
    if (event?.item.type === 'file') return event.item.bytes
    if (event?.item.type !== 'hardlink' || depth > MOST_LINKS) return undefined
    const target = targetOf(event.item)
    const found = this.#seen.get(target)?.findLast(({ layer }) => layer <= event.layer)
    return target === path ? undefined : this.of(target, found, depth + 1)
  }
}

/** A chain of links to links ends by then, or never. */
const MOST_LINKS = 40

function targetOf({ link = '', linkBase64 }: FileItem): ByteString {
  const target = linkBase64 === undefined ? encodeText(link) : toByteString(Buffer.from(linkBase64, 'base64'))
  const parts: ByteString[] = []
  for (const part of target.split('/'))
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  return parts.join('/')
}

async function linkTargets(questions: Questions, last: number): Promise<Sizes> {
  const targets = new Set<ByteString>()
  for (let layer = 0; layer <= last; layer++)
    for await (const items of questions.files({ layer, type: 'hardlink' }))
      for (const item of items) targets.add(targetOf(item))
  return new Sizes(targets)
}

type AtPath = { readonly path: ByteString; readonly events: readonly LayerEvent[] }

/** All paths that the layers up to one name, in path order. */
async function* members(questions: Questions, last: number): AsyncGenerator<AtPath> {
  const open: Reader[] = []
  for (let layer = 0; layer <= last; layer++) open.push(await Reader.open(questions, layer))
  for (;;) {
    let least: Member | undefined
    for (const { next } of open)
      if (next !== undefined && (least === undefined || next.key < least.key)) least = next
    if (least === undefined) return
    const events: LayerEvent[] = []
    for (const reader of open) {
      const own: LayerEvent[] = []
      while (reader.next?.key === least.key) {
        own.push({ item: reader.next.item, layer: reader.layer })
        await reader.step()
      }
      // A whiteout is about lower layers only.
      own.sort((a, b) => Number(a.item.whiteout === undefined) - Number(b.item.whiteout === undefined))
      events.push(...own)
    }
    if (least.path !== '') yield { path: least.path, events }
  }
}

/** The members of one layer. */
class Reader {
  readonly layer: number
  readonly #batches: AsyncGenerator<readonly FileItem[]>
  #batch: readonly FileItem[] = []
  #at = 0
  next: Member | undefined

  private constructor(questions: Questions, layer: number) {
    this.layer = layer
    this.#batches = questions.files({ layer })
  }

  static async open(questions: Questions, layer: number): Promise<Reader> {
    const reader = new Reader(questions, layer)
    await reader.step()
    return reader
  }

  async step(): Promise<void> {
    while (this.#at >= this.#batch.length) {
      const { value, done } = await this.#batches.next()
      if (done === true) {
        this.next = undefined
        return
      }
      this.#batch = value
      this.#at = 0
    }
    const item = this.#batch[this.#at++]
    if (item === undefined) return
    const path = subjectOf(item)
    this.next = { path, key: path.replaceAll('/', '\0'), item }
  }
}

const WHITEOUT = '.wh.'

/** The path that a member is about. */
function subjectOf(item: FileItem): ByteString {
  const path = pathOf(item)
  const cut = path.lastIndexOf('/') + 1
  if (item.whiteout === 'opaque') return path.slice(0, Math.max(cut - 1, 0))
  return item.whiteout === 'file' ? path.slice(0, cut) + path.slice(cut + WHITEOUT.length) : path
}
