/**
 * What to change in an image, what it saves, and which step caused it: applies the rules of advice to the image's
 * tables, in one pass over each. It keeps only the sums and the ten largest paths of an item.
 */
import type { Exclusion } from '../gate/exclusion.ts'
import type { Severity } from '../gate/tables.ts'
import { SHOWN, Worst } from '../gate/worst.ts'
import type { MergedEntry } from '../image/merged-entry.ts'
import { InodeSet } from '../image/packages/inode-set.ts'
import type { BuildTools, DuplicateGroup, ImageFacts, SizedPath, WasteReason } from '../image/report.ts'
import type { WastedRow } from '../image/waste.ts'
import type { Entry } from '../layer/entry.ts'
import type { SecretValue } from '../oci/secret-values.ts'
import { Largest } from '../table/largest.ts'
import { decodeText, encodeText } from '../text/bytes.ts'
import { isWithin, keyToPath, type PathKey, pathToKey, showPath } from '../text/path.ts'
import { CACHES } from './caches.ts'
import {
  ADVICE_RULES,
  type AdviceRule,
  BROUGHT,
  DIFFERENCES,
  type Difference,
  type Found,
  type FoundCache,
  type OtherRule,
  type PathRule,
  SECRET_VALUE,
  type WasteRule,
} from './rules.ts'
import { Selection, Selectors } from './select.ts'
import { readStep } from './step.ts'

export type AdviceItem = {
  readonly rule: string
  /** The package manager, or another name that distinguishes items. */
  readonly kind?: string
  readonly severity: Severity
  readonly title: string
  /** Of the variable, label or argument that a rule about values names. */
  readonly name?: string
  /** The first four characters of a token of a known form. */
  readonly prefix?: string
  /** Bytes of the files that it names; an inode counts once. */
  readonly bytes: number
  readonly files: number
  /** The layer that stores them; if several do, the one with most of the bytes. */
  readonly layer?: number
  /** The layers that store them, lowest first, if they are several and all known. */
  readonly layers?: readonly number[]
  /** The layer that hides them. */
  readonly byLayer?: number
  /** The step to change, as in the history: that of `byLayer` if present, else that of `layer`. */
  readonly createdBy?: string
  /** The line of that step in the given Dockerfile, from 1. */
  readonly line?: number
  /** The ten largest, largest first. */
  readonly paths: readonly SizedPath[]
  readonly fix: string
}

export type Advice = {
  /** Savings of the items of severity `warning`; each stored file counts once, whatever names it. */
  readonly savings: { readonly bytes: number; readonly percent: number }
  /** Largest first, then by rule and layer. */
  readonly items: readonly AdviceItem[]
}

/** A file that may be excluded. */
export type CountedFile = Pick<MergedEntry, 'key' | 'layer'>
type FileRow = Pick<MergedEntry, 'key' | 'type' | 'bytes' | 'layer' | 'inode' | 'ordinal'>

/** What is inside files. */
export type InsideFiles = {
  symbolBytes(layer: number, ordinal: number): number
  readonly jdks: ReadonlySet<PathKey>
}
type MemberRow = Pick<Entry, 'key' | 'type' | 'bytes' | 'whiteout'>
/** What a member says beside its content. */
export type MetadataRow = Pick<Entry, 'key' | 'mode' | 'uid' | 'gid' | 'mtime' | 'xattrs'>

/** What advice reads about an image beyond its facts. Each call begins a new read. */
export interface AdviceTables {
  /** Largest first. */
  waste(): AsyncIterable<readonly WastedRow[]>
  /** Of the merged file system, largest waste first. */
  duplicates(): AsyncIterable<readonly DuplicateGroup[]>
  /** The merged file system, in path order. */
  files(): AsyncIterable<readonly FileRow[]>
  inside(): Promise<InsideFiles>
  /** Of one layer, in path order. */
  members(layer: number): AsyncIterable<readonly MemberRow[]>
  metadata(layer: number): AsyncIterable<readonly MetadataRow[]>
}

/** The bytes of duplicates without what is excluded. */
export type DuplicateSum = { readonly wastedBytes: number; readonly copies: number }

export type AdviceSubject = {
  readonly facts: ImageFacts
  readonly tables: AdviceTables
  /** What looks like a secret in the config, and not in that of the base image. */
  readonly secretValues: readonly SecretValue[]
  /** Absent if everything counts. */
  readonly exclusion?: Exclusion | undefined
  /** Duplicates without what is excluded; called only if something is excluded. */
  readonly duplicates: (exclusion: Exclusion) => Promise<DuplicateSum>
  /** Build tools among the files that count; called only if some files do not count. */
  readonly buildTools: (counts: (file: CountedFile) => boolean) => Promise<BuildTools | undefined>
}

/** Pairs of layers that get their own item; the rest share one. */
const MAX_PAIRS = 1_000

/** Copies to consider if those of the base image are not shown. */
const MAX_CANDIDATES = 200

/** The sums of an item while its files are read. */
class Sum {
  bytes = 0
  files = 0
  readonly #byLayer: number[] = []
  readonly #worst = new Worst<{ readonly key: PathKey; readonly bytes: number; readonly layer: number }>()
  readonly #inodes = new InodeSet()

  /** @param inode of a file that may have several paths: counted once */
  add(key: PathKey, bytes: number, layer: number, inode?: number): void {
    this.#worst.offer(bytes, () => ({ key, bytes, layer }))
    if (inode !== undefined && !this.#inodes.add(inode)) return
    this.bytes += bytes
    this.files++
    this.#byLayer[layer] = (this.#byLayer[layer] ?? 0) + bytes
  }

  get paths(): readonly SizedPath[] {
    return this.#worst.list().map(({ key, bytes, layer }) => ({ ...showPath(key), bytes, layer }))
  }

  /** The largest files. */
  get keys(): readonly PathKey[] {
    return this.#worst.list().map(({ key }) => key)
  }

  /** The layers of all its files. */
  get layers(): readonly number[] {
    return [...this.#byLayer.keys()].filter((layer) => this.#byLayer[layer] !== undefined)
  }

  /** The layer with most of the bytes. */
  get layer(): number | undefined {
    let most: number | undefined
    this.#byLayer.forEach((bytes, layer) => {
      if (most === undefined || bytes > (this.#byLayer[most] ?? 0)) most = layer
    })
    return most
  }
}

/** Files that are kept apart from what is stripped. */
const KEPT_SYMBOLS = /(?:^|\0)[^\0]*\.(?:debug|ko)$|^usr\0lib\0debug\0/s
/** What of a JDK only a build needs. */
const JDK_PARTS = /^(?:jmods\0.*|lib\0src\.zip|include\0.*|bin\0javac|lib\0ct\.sym)$/s

/** What rules about the inside of files select. */
class InsideSums {
  readonly symbols = new Sum()
  readonly jdks = new Map<PathKey, Sum>()
  readonly #files: InsideFiles

  constructor(files: InsideFiles) {
    this.#files = files
    for (const home of files.jdks) this.jdks.set(home, new Sum())
  }

  concerns(row: FileRow): boolean {
    return this.#symbols(row) > 0 || this.#jdk(row.key) !== undefined
  }

  add(row: FileRow): void {
    const { key, layer, bytes, inode } = row
    const symbols = this.#symbols(row)
    if (symbols > 0) this.symbols.add(key, symbols, layer, inode)
    this.#jdk(key)?.add(key, bytes, layer, inode)
  }

  #symbols({ key, layer, ordinal }: FileRow): number {
    const bytes = this.#files.symbolBytes(layer, ordinal)
    return bytes > 0 && !KEPT_SYMBOLS.test(key) ? bytes : 0
  }

  #jdk(key: PathKey): Sum | undefined {
    for (const [home, sum] of this.jdks)
      if (isWithin(key, home) && JDK_PARTS.test(home === '' ? key : key.slice(home.length + 1))) return sum
    return undefined
  }
}

/** A rule, and what distinguishes one of its items from another. */
type Kind = { readonly rule: AdviceRule; readonly item: PathRule['items'][number] }

function kindsOf(selects: PathRule['selects']): readonly Kind[] {
  return ADVICE_RULES.flatMap((rule) =>
    rule.selects === 'shown' || rule.selects === 'stored'
      ? rule.selects === selects
        ? rule.items.map((item) => ({ rule, item }))
        : []
      : [],
  )
}

const SHOWN_KINDS = kindsOf('shown')
const STORED_KINDS = kindsOf('stored')
/** The last selector is {@link BROUGHT}. */
const SHOWN_SELECTORS = new Selectors([...SHOWN_KINDS.map(({ item }) => item), BROUGHT])
const STORED_SELECTORS = new Selectors([...STORED_KINDS.map(({ item }) => item), BROUGHT])
const CACHE_SELECTORS = new Selectors(CACHES)

/** The kinds that a file is an example of. @param hits the selectors that select it */
function kindsHit(kinds: readonly Kind[], hits: readonly number[]): readonly number[] {
  if (!hits.includes(kinds.length)) return hits
  return hits.filter((hit) => {
    const rule = kinds[hit]?.rule
    return rule !== undefined && !('isOwn' in rule)
  })
}

/** The bytes of one removed item that are in the caches of package managers. */
class CacheSums {
  readonly #selection = new Selection(CACHE_SELECTORS)
  readonly #sums = new Map<number, { bytes: number; readonly files: PathKey[] }>()

  add(key: PathKey, bytes: number): void {
    const [cache] = this.#selection.of(key)
    if (cache === undefined) return
    const sum = this.#sums.get(cache)
    if (sum === undefined) this.#sums.set(cache, { bytes, files: [key] })
    else {
      sum.bytes += bytes
      if (sum.files.length < SHOWN) sum.files.push(key)
    }
  }

  /** The cache that has at least half of these bytes. */
  most(bytes: number): FoundCache | undefined {
    for (const [place, sum] of this.#sums) {
      const cache = CACHES[place]
      if (cache !== undefined && 2 * sum.bytes >= bytes)
        return { cache, files: sum.files, restBytes: bytes - sum.bytes }
    }
    return undefined
  }
}

type WastePair = {
  readonly rule: WasteRule
  readonly layer?: number
  readonly byLayer?: number
  readonly sum: Sum
  readonly caches: CacheSums
}

function isWasteRule(rule: AdviceRule): rule is WasteRule {
  return rule.selects === 'waste'
}

const WASTE_RULES: ReadonlyMap<WasteReason, WasteRule> = new Map(
  ADVICE_RULES.filter(isWasteRule).map((rule) => [rule.reason, rule]),
)

export async function advise(subject: AdviceSubject): Promise<Advice> {
  const adviser = new Adviser(subject)
  const waste = await adviser.waste()
  const copies = await adviser.copies()
  const shown = await adviser.shown(copies.spare)
  const items = [
    ...waste.items,
    ...shown.items,
    ...(await adviser.stored()),
    ...(await adviser.buildTools()),
    ...(await adviser.duplicates(copies)),
    ...secretItems(subject.secretValues),
  ]
  const bytes = waste.bytes + shown.savedBytes
  const { fileBytes } = subject.facts.size
  return {
    savings: { bytes, percent: fileBytes === 0 ? 0 : (100 * bytes) / fileBytes },
    items: items.sort(compareItems),
  }
}

function compareItems(a: AdviceItem, b: AdviceItem): number {
  return (
    b.bytes - a.bytes ||
    compareText(a.rule, b.rule) ||
    (a.layer ?? -1) - (b.layer ?? -1) ||
    (a.byLayer ?? -1) - (b.byLayer ?? -1) ||
    compareText(a.kind ?? '', b.kind ?? '') ||
    compareText(a.name ?? '', b.name ?? '')
  )
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function secretItems(values: readonly SecretValue[]): readonly AdviceItem[] {
  return values.map(({ kind, name, prefix, createdBy }) => ({
    rule: SECRET_VALUE.rule,
    kind,
    severity: SECRET_VALUE.severity,
    title: SECRET_VALUE.title(kind, name),
    ...(name === undefined ? {} : { name }),
    ...(prefix === undefined ? {} : { prefix }),
    bytes: 0,
    files: 0,
    ...(createdBy === undefined ? {} : { createdBy }),
    paths: [],
    fix: SECRET_VALUE.fix,
  }))
}

/** A copy that could be removed; its layer is found when the files are read. */
type SpareCopy = { readonly key: PathKey; readonly bytes: number; layer: number | undefined }

/** What one read of the duplicates found. */
type Copies = { readonly spare: readonly SpareCopy[]; readonly sum: DuplicateSum }

class Adviser {
  readonly #subject: AdviceSubject
  readonly #exclusion: Exclusion | undefined
  readonly #baseLayers: number

  constructor(subject: AdviceSubject) {
    this.#subject = subject
    this.#exclusion = subject.exclusion
    this.#baseLayers = subject.exclusion?.baseLayers ?? 0
  }

  async waste(): Promise<{ readonly items: readonly AdviceItem[]; readonly bytes: number }> {
    const pairs = new Map<string, WastePair>()
    let bytes = 0
    for await (const batch of this.#subject.tables.waste()) {
      for (const row of batch) {
        const rule = WASTE_RULES.get(row.reason)
        if (rule === undefined || row.byLayer < this.#baseLayers || this.#ignores(row.key)) continue
        bytes += row.bytes
        const own = `${row.reason} ${row.layer} ${row.byLayer}`
        const isOwn = pairs.has(own) || pairs.size < MAX_PAIRS
        const name = isOwn ? own : row.reason
        let pair = pairs.get(name)
        if (pair === undefined) {
          const place = isOwn ? { layer: row.layer, byLayer: row.byLayer } : {}
          pair = { rule, ...place, sum: new Sum(), caches: new CacheSums() }
          pairs.set(name, pair)
        }
        pair.sum.add(row.key, row.bytes, row.layer)
        if (row.reason === 'removed') pair.caches.add(row.key, row.bytes)
      }
    }
    const worth = [...pairs.values()].filter(({ sum }) => sum.bytes > 0)
    const differences = await this.#differences(worth.filter(({ rule }) => rule.reason === 'metadataOnly'))
    const items = worth.map((pair) => {
      const { rule, sum, layer, byLayer, caches } = pair
      const known = { cache: caches.most(sum.bytes), differs: differences.get(pair) }
      return this.#item(rule, rule, sum, { layer, byLayer, ...known })
    })
    return { items, bytes }
  }

  /** What differs in the largest files of each pair of layers, by one pass over each of these layers. */
  async #differences(
    pairs: readonly WastePair[],
  ): Promise<ReadonlyMap<WastePair, readonly Difference[] | undefined>> {
    const wanted = new Map<number, Map<PathKey, MetadataRow | undefined>>()
    const want = (layer: number | undefined, keys: readonly PathKey[]) => {
      if (layer === undefined) return
      const rows = wanted.get(layer) ?? new Map<PathKey, MetadataRow | undefined>()
      for (const key of keys) rows.set(key, undefined)
      wanted.set(layer, rows)
    }
    for (const { layer, byLayer, sum } of pairs) {
      want(layer, sum.keys)
      want(byLayer, sum.keys)
    }
    for (const [layer, rows] of wanted) {
      for await (const batch of this.#subject.tables.metadata(layer)) {
        for (const row of batch) if (rows.has(row.key)) rows.set(row.key, row)
      }
    }
    return new Map(
      pairs.map((pair) => {
        const { layer = -1, byLayer = -1, sum } = pair
        const found = new Set<Difference>()
        let compared = 0
        for (const key of sum.keys) {
          const [before, after] = [wanted.get(layer)?.get(key), wanted.get(byLayer)?.get(key)]
          if (before === undefined || after === undefined) continue
          compared++
          for (const difference of differencesOf(before, after)) found.add(difference)
        }
        return [pair, compared === 0 ? undefined : DIFFERENCES.filter((one) => found.has(one))]
      }),
    )
  }

  /** @param spare copies whose layers must be found */
  async shown(
    spare: readonly SpareCopy[],
  ): Promise<{ readonly items: readonly AdviceItem[]; readonly savedBytes: number }> {
    const selection = new Selection(SHOWN_SELECTORS)
    const sums = SHOWN_KINDS.map(() => new Sum())
    const saves = SHOWN_KINDS.map(({ rule }) => rule.severity === 'warning')
    const saved = new InodeSet()
    const wanted = [...spare].sort((a, b) => compareText(a.key, b.key))
    let next = 0
    let savedBytes = 0
    const inside = new InsideSums(await this.#subject.tables.inside())
    for await (const batch of this.#subject.tables.files()) {
      for (const row of batch) {
        const { key } = row
        for (let copy = wanted[next]; copy !== undefined && copy.key <= key; copy = wanted[++next]) {
          if (copy.key === key) copy.layer = row.layer
        }
        if (row.type !== 'file') continue
        const hits = kindsHit(SHOWN_KINDS, selection.of(key))
        const isInside = inside.concerns(row)
        if (hits.length === 0 && !isInside) continue
        if (row.layer < this.#baseLayers || this.#ignores(key)) continue
        if (isInside) inside.add(row)
        const { bytes, layer, inode = 0 } = row
        let isSaved = false
        for (const hit of hits) {
          sums[hit]?.add(key, bytes, layer, inode)
          isSaved ||= saves[hit] === true
        }
        if (isSaved && saved.add(inode)) savedBytes += bytes
      }
    }
    return { items: [...this.#itemsOf(SHOWN_KINDS, sums), ...this.#insideItems(inside)], savedBytes }
  }

  #insideItems({ symbols, jdks }: InsideSums): readonly AdviceItem[] {
    const unstripped = otherRule('symbols')
    const jdk = otherRule('jdk')
    const items: AdviceItem[] = []
    if (unstripped !== undefined && symbols.bytes > 0)
      items.push(this.#item(unstripped, unstripped, symbols, { layer: symbols.layer }))
    for (const [home, sum] of jdks) {
      if (jdk === undefined || sum.bytes === 0) continue
      const kind = home === '' ? {} : { kind: showPath(home).path }
      items.push(this.#item(jdk, { ...jdk, ...kind }, sum, { layer: sum.layer }))
    }
    return items
  }

  /** What any layer stores, hidden or not: removing a file later does not remove it from the image. */
  async stored(): Promise<readonly AdviceItem[]> {
    const { facts, tables } = this.#subject
    const selection = new Selection(STORED_SELECTORS)
    const sums = STORED_KINDS.map(() => new Sum())
    for (let layer = this.#baseLayers; layer < facts.layers.length; layer++) {
      for await (const batch of tables.members(layer)) {
        for (const row of batch) {
          if (row.type !== 'file' || row.bytes === 0) continue
          const hits = kindsHit(STORED_KINDS, selection.of(row.key))
          if (hits.length === 0 || row.whiteout !== undefined || this.#ignores(row.key)) continue
          for (const hit of hits) sums[hit]?.add(row.key, row.bytes, layer)
        }
      }
    }
    return this.#itemsOf(STORED_KINDS, sums)
  }

  async buildTools(): Promise<readonly AdviceItem[]> {
    const rule = otherRule('buildTools')
    const tools = await this.#buildToolsLeft()
    if (rule === undefined || tools === undefined || tools.bytes === 0) return []
    const layer = tools.largest[0]?.layer
    return [
      {
        rule: rule.rule,
        severity: rule.severity,
        title: titleOf(rule.title, this.#found(layer)),
        bytes: tools.bytes,
        files: tools.files,
        ...this.#place(layer, undefined),
        paths: tools.largest,
        fix: rule.fix(this.#found(layer)),
      },
    ]
  }

  /** The largest groups; more than are shown, in case some belong to the base image. */
  async copies(): Promise<Copies> {
    const hasBase = this.#baseLayers > 0
    const largest = new Largest<SpareCopy>(hasBase ? MAX_CANDIDATES : SHOWN)
    const sum = { wastedBytes: 0, copies: 0 }
    let count = 0
    for await (const batch of this.#subject.tables.duplicates()) {
      for (const { bytes, paths, wastedBytes, count: all } of batch) {
        sum.wastedBytes += wastedBytes
        sum.copies += all - 1
        // One file of a group is not a duplicate; if the base image has one, it is that one.
        for (const path of hasBase ? paths : paths.slice(1, SHOWN + 1)) {
          if (this.#exclusion?.ignores(path.path)) continue
          largest.add(bytes, count++, () => ({ key: keyOf(path), bytes, layer: undefined }))
        }
      }
    }
    return { spare: largest.sorted().map(({ item }) => item), sum }
  }

  /** @param copies with the layers of the spare ones */
  async duplicates({ spare, sum }: Copies): Promise<readonly AdviceItem[]> {
    const rule = otherRule('duplicates')
    const exclusion = this.#exclusion
    const { wastedBytes, copies } = exclusion === undefined ? sum : await this.#subject.duplicates(exclusion)
    if (rule === undefined || wastedBytes === 0) return []
    const paths = spare
      .flatMap(({ key, bytes, layer }) =>
        layer === undefined || layer < this.#baseLayers ? [] : [{ ...showPath(key), bytes, layer }],
      )
      .slice(0, SHOWN)
    const layer = paths[0]?.layer
    return [
      {
        rule: rule.rule,
        severity: rule.severity,
        title: titleOf(rule.title, this.#found(layer)),
        bytes: wastedBytes,
        files: copies,
        ...this.#place(layer, undefined),
        paths,
        fix: rule.fix(this.#found(layer)),
      },
    ]
  }

  /** Without what is excluded. */
  async #buildToolsLeft(): Promise<BuildTools | undefined> {
    const { facts, buildTools } = this.#subject
    const all = facts.packages.buildTools
    if (all === undefined || this.#exclusion === undefined) return all
    return buildTools(({ key, layer }) => layer >= this.#baseLayers && !this.#ignores(key))
  }

  #itemsOf(kinds: readonly Kind[], sums: readonly Sum[]): readonly AdviceItem[] {
    return kinds.flatMap(({ rule, item }, i) => {
      const sum = sums[i]
      return sum === undefined || sum.bytes === 0
        ? []
        : [this.#item(rule, item, sum, { layer: sum.layer, layers: sum.layers })]
    })
  }

  #item(
    { rule, severity }: AdviceRule,
    { kind, title, fix }: Pick<PathRule['items'][number], 'kind' | 'title' | 'fix'>,
    sum: Sum,
    { layer, byLayer, layers = [], ...known }: FoundIn,
  ): AdviceItem {
    const found = { ...this.#found(layer, byLayer), files: sum.keys, ...known }
    return {
      rule,
      ...(kind === undefined ? {} : { kind }),
      severity,
      title: titleOf(title, found),
      bytes: sum.bytes,
      files: sum.files,
      ...this.#place(layer, byLayer),
      ...(layers.length > 1 ? { layers } : {}),
      paths: sum.paths,
      fix: fix(found),
    }
  }

  #place(
    layer: number | undefined,
    byLayer: number | undefined,
  ): Pick<AdviceItem, 'layer' | 'byLayer' | 'createdBy'> {
    const createdBy = this.#createdBy(byLayer ?? layer)
    return {
      ...(layer === undefined ? {} : { layer }),
      ...(byLayer === undefined ? {} : { byLayer }),
      ...(createdBy === undefined ? {} : { createdBy }),
    }
  }

  #found(layer: number | undefined, byLayer?: number): Found {
    return {
      layer,
      byLayer,
      step: readStep(this.#createdBy(layer)),
      byStep: readStep(this.#createdBy(byLayer)),
      files: [],
      cache: undefined,
      differs: undefined,
    }
  }

  #createdBy(layer: number | undefined): string | undefined {
    return layer === undefined ? undefined : this.#subject.facts.layers[layer]?.createdBy
  }

  #ignores(key: PathKey): boolean {
    return this.#exclusion?.ignores(decodeText(keyToPath(key)).text) ?? false
  }
}

/** Where the files are, and what else is known for a fix. */
type FoundIn = Partial<Pick<Found, 'cache' | 'differs'>> & {
  readonly layer?: number | undefined
  readonly byLayer?: number | undefined
  readonly layers?: readonly number[]
}

function titleOf(title: OtherRule['title'], found: Found): string {
  return typeof title === 'string' ? title : title(found)
}

function differencesOf(before: MetadataRow, after: MetadataRow): readonly Difference[] {
  const isSameMode = before.mode === after.mode && sameXattrs(before.xattrs, after.xattrs)
  return [
    ...(before.uid === after.uid && before.gid === after.gid ? [] : (['owner'] as const)),
    ...(isSameMode ? [] : (['mode'] as const)),
    ...(before.mtime === after.mtime ? [] : (['time'] as const)),
  ]
}

function sameXattrs(some: Entry['xattrs'], others: Entry['xattrs']): boolean {
  if ((some?.size ?? 0) !== (others?.size ?? 0)) return false
  return [...(some ?? [])].every(([name, value]) => others?.get(name) === value)
}

function otherRule(selects: OtherRule['selects']): OtherRule | undefined {
  return ADVICE_RULES.find((rule): rule is OtherRule => rule.selects === selects)
}

function keyOf({ path, pathBase64 }: { readonly path: string; readonly pathBase64?: string }): PathKey {
  return pathToKey(
    pathBase64 === undefined ? encodeText(path) : Buffer.from(pathBase64, 'base64').toString('latin1'),
  )
}
