/** What one process remembers between requests: every cache of the service, each bounded in bytes. */
import type { Advice } from '../advice/advise.ts'
import type { CompressionSaving } from '../advice/compression.ts'
import type { BaseReport } from '../base/base.ts'
import { Cache } from '../cache.ts'
import type { AnalysedFacts } from '../image/image.ts'
import type { IndexedLayer } from '../index/layer-index.ts'
import type { ImageSelection, ManifestSelection } from '../oci/select.ts'
import { SingleFlight } from '../single-flight.ts'
import type { ArchiveIndex } from '../source/archive/archive-index.ts'
import type { ResolvedManifest } from '../source/source.ts'
import type { Ledger } from '../storage/ledger.ts'
import type { StoredLayer } from '../update/layers.ts'
import { UploadQuota } from '../uploads/upload-quota.ts'
import type { Inside } from './open-inside.ts'

/** Data about an upload, next to its bytes. */
export type StoredUpload = { readonly bytes: number; readonly index: ArchiveIndex }

/** What a manifest and its config say about an image. */
export type RepositoryImage = {
  /** Of the image's manifest. */
  readonly digest: string
  /** The digest of its config. */
  readonly id: string
  readonly platform: string
  /** RFC 3339 in UTC. */
  readonly created?: string
  readonly compressedBytes: number
  /** The number of layers. */
  readonly layers: number
  /** From the lowest: what decides which of them an update pulls. */
  readonly stored: readonly StoredLayer[]
}

/** What a name resolves to, without the bytes that were read to find out. */
export type Resolved = Omit<ResolvedManifest, 'bytes'>

/** An analysis that its caller can come back to. */
export type AnalysisRecord = {
  readonly id: string
  readonly image: string
  readonly platform: string
  readonly digest: string
  readonly createdAt: string
  /** From tables of contents, for layers that have one. */
  readonly read?: 'toc'
  /** It is in the queue of images and may not have started. */
  readonly isOrdered?: true
}

const MIB = 2 ** 20
/** How long a source's answer is trusted for the same caller. */
const WORD_MILLISECONDS = 60_000
const MOMENT_MILLISECONDS = 1_000
const FACTS_MILLISECONDS = 600_000
/** Half of an analysis's lifetime, so that an ID that is given out again stays valid for a while. */
const NAME_MILLISECONDS = 1_800_000

/** A caller sees a manifest's data again if the source confirms that it still has the manifest. */
const ROW_MILLISECONDS = 3_600_000

/** Rough size in memory of a document and the objects parsed from it, in multiples of its bytes. */
const PARSED = 4
const RECORD_BYTES = 500
const TAG_BYTES = 20
const LAYER_BYTES = 250
/** A section header with its name, and a module. */
const ELF_BYTES = 100
const MODULE_BYTES = 200
/** A part's place in the order that was asked for last. */
const ORDER_BYTES = 4

function memoryOf(inside: Inside): number {
  if (inside.kind !== 'elf') return inside.entries.memoryBytes + ORDER_BYTES * inside.entries.count
  const { sections } = inside.file
  return (ELF_BYTES + ORDER_BYTES) * sections.count + MODULE_BYTES * (inside.modules?.length ?? 0)
}

/** Shared by all requests of a host. Some 105 MB in all at most; a Worker's isolate, which has 128 MB, leaves them what jobs leave. */
export class Memory {
  readonly resolved = new Cache<Resolved>({
    bytes: 4 * MIB,
    milliseconds: WORD_MILLISECONDS,
    sizeOf: () => 300,
  })
  readonly confirmed = new Cache<true>({ bytes: 6 * MIB, milliseconds: WORD_MILLISECONDS })
  /** What a caller was not shown: for the analysis that then begins. */
  readonly unseen = new Cache<true>({ bytes: MIB, milliseconds: MOMENT_MILLISECONDS })
  readonly public = new Cache<true>({ bytes: 6 * MIB, milliseconds: FACTS_MILLISECONDS })
  /** Selections by caller and requested digest: immutable, and kept only as long as the source's answer is trusted. */
  readonly manifests = new Cache<ManifestSelection>({
    bytes: 8 * MIB,
    milliseconds: WORD_MILLISECONDS,
    sizeOf: ({ bytes, readConfig }) => PARSED * (bytes.byteLength + (readConfig?.bytes.byteLength ?? 0)),
  })
  readonly images = new Cache<ImageSelection>({
    bytes: 12 * MIB,
    milliseconds: WORD_MILLISECONDS,
    sizeOf: ({ bytes, configBytes }) => PARSED * (bytes.byteLength + configBytes.byteLength),
  })
  /** Facts are immutable, so they are kept by digest; each caller is checked before they are shown. */
  readonly facts = new Cache<AnalysedFacts>({
    bytes: 8 * MIB,
    milliseconds: FACTS_MILLISECONDS,
    sizeOf: (analysed) => 2 * JSON.stringify(analysed).length,
  })
  /** Layers that were just indexed, for the analyses that wait for them. */
  readonly indexed = new Cache<IndexedLayer>({
    bytes: MIB,
    milliseconds: WORD_MILLISECONDS,
    sizeOf: (layer) => 2 * JSON.stringify(layer).length,
  })
  /** Advice without exclusions, by digest. */
  readonly advice = new Cache<Advice>({
    bytes: 4 * MIB,
    milliseconds: FACTS_MILLISECONDS,
    sizeOf: (advice) => 2 * JSON.stringify(advice).length,
  })
  /** The IDs of analyses, so that repeated requests get the same one. */
  readonly named = new Cache<AnalysisRecord>({
    bytes: 4 * MIB,
    milliseconds: NAME_MILLISECONDS,
    sizeOf: () => RECORD_BYTES,
  })
  /** The tags of repositories, by caller, for following pages. */
  readonly tags = new Cache<readonly string[]>({
    bytes: 8 * MIB,
    milliseconds: WORD_MILLISECONDS,
    sizeOf: (names) => names.reduce((sum, name) => sum + 2 * name.length + TAG_BYTES, 0),
  })
  /** Tags whose manifest was read, by caller; later requests for them are HEADs. */
  readonly readTags = new Cache<true>({ bytes: 2 * MIB, milliseconds: ROW_MILLISECONDS })
  /** Images of repositories, by caller and the digest that the source gave for a tag. */
  readonly repositoryImages = new Cache<RepositoryImage>({
    bytes: 4 * MIB,
    milliseconds: ROW_MILLISECONDS,
    sizeOf: ({ stored }) => RECORD_BYTES + stored.length * LAYER_BYTES,
  })
  /** What the tags of repositories lead to, by caller and globs: read in steps, and shown in pages. */
  readonly ledgers = new Cache<Ledger>({
    bytes: 16 * MIB,
    milliseconds: WORD_MILLISECONDS,
    sizeOf: (ledger) => ledger.memoryBytes,
  })
  /** Names of images that the store already has. */
  readonly recorded = new Cache<true>({ bytes: MIB, milliseconds: FACTS_MILLISECONDS })
  /** What another compression saves, by the image that was measured. */
  readonly compressionSavings = new Cache<CompressionSaving>({ bytes: MIB, milliseconds: FACTS_MILLISECONDS })
  /** What public images stand on, as pages say it. */
  readonly bases = new Cache<BaseReport>({
    bytes: MIB,
    milliseconds: WORD_MILLISECONDS,
    sizeOf: (report) => 2 * JSON.stringify(report).length,
  })
  /** Badges as SVG: measuring text and writing XML takes longer than everything else about a known image. */
  readonly drawn = new Cache<string>({
    bytes: 2 * MIB,
    milliseconds: FACTS_MILLISECONDS,
    sizeOf: (svg) => 2 * svg.length,
  })
  /** Bodies of small answers, by entity tag and address; callers are checked before a lookup. */
  readonly answers = new Cache<Uint8Array<ArrayBuffer>>({
    bytes: 6 * MIB,
    milliseconds: FACTS_MILLISECONDS,
    sizeOf: (body) => body.byteLength,
  })
  /** What files are made of, by the source that gave their ranges. */
  readonly insides = new Cache<Inside>({
    bytes: 16 * MIB,
    milliseconds: FACTS_MILLISECONDS,
    sizeOf: memoryOf,
  })
  /** What uploads contain, by the hashes of their IDs: it never changes. */
  readonly uploads = new Cache<StoredUpload>({
    bytes: 4 * MIB,
    milliseconds: FACTS_MILLISECONDS,
    sizeOf: (upload) => 2 * JSON.stringify(upload).length,
  })
  readonly uploadQuota = new UploadQuota()
  /** Engine images that this thread is saving, by file name, so that each is saved only once at a time. */
  readonly saving = new Map<string, Promise<void>>()
  /** Fetches under way, by caller, place and name. */
  readonly resolving = new SingleFlight<Resolved>()
  readonly reading = new SingleFlight<Uint8Array>()

  /** @param share of the bytes that each cache takes, for a thread that is one of several */
  constructor(share = 1) {
    for (const cache of this.#caches) cache.resize(share)
    // Whole in each thread, or one long directory would be read again for each page of it.
    this.insides.resize(1)
  }

  /** Bytes that all caches take, roughly. */
  get bytes(): number {
    return this.#caches.reduce((sum, cache) => sum + cache.bytes, 0)
  }

  /** Keeps all caches together within this many bytes from now on. */
  fit(bytes: number): void {
    const most = this.#caches.reduce((sum, cache) => sum + cache.mostBytes, 0)
    for (const cache of this.#caches) cache.resize(Math.min(1, bytes / most))
  }

  get #caches(): readonly Cache<unknown>[] {
    return Object.values(this).filter((kept) => kept instanceof Cache)
  }
}
