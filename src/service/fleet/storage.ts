/**
 * What the tags of a repository store: reads their manifests, and of each tag one config, but no layer. What one request has read
 * is kept for the next, so that a long list can be read in steps, and its pages cost nothing.
 */
import { inParallel } from '../../concurrency.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import type { Repository } from '../../oci/reference.ts'
import { isAttestation } from '../../oci/select.ts'
import { type CallerCredentials, refOf } from '../../open/open-image.ts'
import { openSource } from '../../open/open-source.ts'
import type { Service } from '../../open/service.ts'
import type { VisibleSource } from '../../open/visible-source.ts'
import { Problem } from '../../problem.ts'
import { Ledger, type LedgerTag, type StoredImage, type Tree } from '../../storage/ledger.ts'
import {
  parseStoredConfig,
  parseStoredManifest,
  type StoredConfig,
  type StoredManifest,
} from '../../storage/stored-manifest.ts'
import { compileGlobs } from '../../text/glob.ts'
import { within } from '../../timeout.ts'
import { isRateLimit, RepositoryImages } from './repository-images.ts'

export type StorageQuestion = {
  readonly repository: Repository
  readonly credentials: CallerCredentials
  /** Globs; all tags by default. */
  readonly tags?: readonly string[] | undefined
  /** Seconds after which no further tag is begun. */
  readonly wait: number
  readonly signal?: AbortSignal | undefined
}

export type RepositoryStorage = {
  readonly ledger: Ledger
  /** The registry shows all of it without credentials. */
  readonly isPublic: boolean
}

const MAX_TAGS = 1_000
const QUESTIONS_AT_ONCE = 4
/** How deep indexes may be nested. */
const MAX_HEIGHT = 5
const TAG_MILLISECONDS = 60_000
/** A registry that cannot be reached so often is not asked for the tags that are left. */
const MAX_FAILURES = 8
/** Left to a host that limits its requests, for what it does besides. */
const SPARE_REQUESTS = 1_000
/** Requests for one manifest or config: the store is asked, then the registry, perhaps with a redirect, then it is stored. */
const REQUESTS = { manifest: 4, config: 5 }
const PLATFORM = 'linux/amd64'

/**
 * @returns the ledger, with tags left if the time was up
 * @throws Problem `too_large` for too many tags, before any is read; what listing the repository fails with
 */
export async function readStorage(service: Service, question: StorageQuestion): Promise<RepositoryStorage> {
  const { repository, credentials, tags, signal } = question
  const source = openSource(service, refOf({ transport: 'docker', ...repository }, credentials), signal)
  const key = `${source.scope} ${JSON.stringify(tags ?? null)}`
  const { ledgers } = service.memory
  const known = ledgers.get(key)
  const ledger = known ?? new Ledger(await namesOf(service, source, question))
  if (ledger.left.length > 0) {
    const end = Date.now() + question.wait * 1_000
    const isOver = () => {
      if (Date.now() < end) return false
      // Without a place for what was read, the next request would begin again.
      ledgers.set(key, ledger)
      return ledgers.get(key) !== undefined
    }
    try {
      await new Reader(service, source, question).read(ledger, isOver)
    } finally {
      ledgers.set(key, ledger)
    }
  }
  return { ledger, isPublic: source.isPublic }
}

/** @throws Problem `too_large` */
async function namesOf(
  service: Service,
  source: VisibleSource,
  question: StorageQuestion,
): Promise<readonly string[]> {
  const { repository, credentials, tags, signal } = question
  const tag = tags === undefined ? () => true : compileGlobs(tags)
  const images = new RepositoryImages(service, { repository, credentials, tag, sort: 'name', signal })
  const names = await images.names()
  if (names.length <= MAX_TAGS) return names
  // Remembered for pages of it, of which there are none: the next question is about the tags of that moment.
  service.memory.tags.delete(source.scope)
  throw new Problem(
    'too_large',
    `${names.length} tags match, and at most ${MAX_TAGS} are read at once: narrow them with tag`,
  )
}

class Reader {
  readonly #service: Service
  readonly #source: VisibleSource
  readonly #question: StorageQuestion
  readonly #most: number
  #requests = 0

  constructor(service: Service, source: VisibleSource, question: StorageQuestion) {
    const { maxRequests = Number.POSITIVE_INFINITY } = service.host
    this.#most = maxRequests - SPARE_REQUESTS
    this.#service = service
    this.#source = source
    this.#question = question
  }

  /** Reads the tags that are left, until `isOver`. */
  async read(ledger: Ledger, isOver: () => boolean): Promise<void> {
    let stopped: Problem | undefined
    let failures = 0
    let begun = 0
    let over = false
    await inParallel(ledger.left, QUESTIONS_AT_ONCE, async (name) => {
      // However short the time is, each request reads on.
      over ||= begun >= QUESTIONS_AT_ONCE && isOver()
      if (over) return
      begun++
      const tag: LedgerTag = stopped === undefined ? await this.#tag(ledger, name) : { problem: stopped }
      if ('problem' in tag && stopped === undefined) {
        if (isUnreachable(tag.problem)) failures++
        if (isRateLimit(tag.problem) || failures >= MAX_FAILURES) stopped = tag.problem
      }
      ledger.tags.set(name, tag)
    })
  }

  async #tag(ledger: Ledger, name: string): Promise<LedgerTag> {
    const { registry, repository } = this.#question.repository
    const image = `${registry}/${repository}:${name}`
    const error = () => new Problem('registry_timeout', `${registry} took too long to answer for ${image}`)
    const limit = { milliseconds: TAG_MILLISECONDS, signal: this.#question.signal, error }
    try {
      if (this.#requests >= this.#most) {
        const detail = `reading all tags takes more than the ${this.#most} requests that this service may make: narrow them with tag`
        throw new Problem('too_large', detail)
      }
      return await within(limit, (signal) => this.#read(ledger, name, signal))
    } catch (error) {
      if (error instanceof Problem) return { problem: error.with({ image }) }
      throw error
    }
  }

  async #read(ledger: Ledger, name: string, signal: AbortSignal): Promise<LedgerTag> {
    const { memory } = this.#service
    const source = openSource(this.#service, this.#source.ref, signal)
    const tag = `${source.scope} ${name}`
    // For a tag that was read before, a HEAD is enough.
    const { digest, mediaType } = await source.resolve(
      name,
      memory.readTags.get(tag) ? undefined : 'manifest',
    )
    memory.readTags.set(tag, true)
    const read = async (child: Pick<Descriptor, 'digest'>) => {
      this.#requests += REQUESTS.manifest
      const bytes = await source.manifest(child.digest, child.digest === digest ? name : undefined)
      // The store may have it from another repository.
      if (await source.visibility.isConfirmed(child.digest, 'manifest')) return bytes
      throw new Problem(
        'image_not_found',
        `the index names the manifest ${child.digest}, which the registry does not have`,
      )
    }
    const configOf = async (descriptor: Descriptor): Promise<StoredConfig> => {
      const known = ledger.configs.get(descriptor.digest)
      if (known !== undefined) return known
      this.#requests += REQUESTS.config
      const config = parseStoredConfig(await source.config(descriptor))
      ledger.configs.set(descriptor.digest, config)
      return config
    }
    const tree = await treeOf(ledger, { digest, mediaType: mediaType ?? '' }, { read, configOf }, 0)
    const image = tree.amd64 ?? tree.first
    const config = image?.config === undefined ? undefined : await configOf(image.config)
    return { digest, contents: tree.contents, created: config?.created ?? image?.created }
  }
}

type Reads = {
  readonly read: (descriptor: Pick<Descriptor, 'digest'>) => Promise<Uint8Array>
  readonly configOf: (descriptor: Descriptor) => Promise<StoredConfig>
}

/** @param depth levels of indexes above it */
async function treeOf(
  ledger: Ledger,
  { digest, mediaType }: Pick<Descriptor, 'digest' | 'mediaType'>,
  reads: Reads,
  depth: number,
): Promise<Tree> {
  const known = ledger.trees.get(digest)
  const tree = known ?? (await readTree(ledger, { digest, mediaType }, reads, depth))
  if (depth + tree.height > MAX_HEIGHT) throw tooDeep()
  return tree
}

async function readTree(
  ledger: Ledger,
  { digest, mediaType }: Pick<Descriptor, 'digest' | 'mediaType'>,
  reads: Reads,
  depth: number,
): Promise<Tree> {
  const bytes = await reads.read({ digest })
  const manifest = parseStoredManifest(bytes, mediaType)
  const contents = new Set([ledger.numberOf(digest, bytes.byteLength, 'manifest')])
  for (const blob of manifest.blobs) contents.add(ledger.numberOf(blob.digest, blob.size, 'blob'))
  if (manifest.manifests.length === 0)
    return ledger.keep(digest, { contents: Int32Array.from(contents), height: 0, first: imageOf(manifest) })
  if (depth >= MAX_HEIGHT) throw tooDeep()
  let height = 0
  let first: StoredImage | undefined
  let amd64: StoredImage | undefined
  for (const entry of manifest.manifests) {
    const child = await treeOf(ledger, entry, reads, depth + 1)
    for (const number of child.contents) contents.add(number)
    height = Math.max(height, child.height + 1)
    if (isAttestation(entry)) continue
    first ??= child.first
    amd64 ??= child.amd64 ?? ((await isForAmd64(entry, child, reads)) ? child.first : undefined)
  }
  const images = { ...(first ? { first } : {}), ...(amd64 ? { amd64 } : {}) }
  return ledger.keep(digest, { contents: Int32Array.from(contents), height, ...images })
}

/** The index says for which platform an image is, else its config. */
async function isForAmd64({ platform }: Descriptor, child: Tree, reads: Reads): Promise<boolean> {
  if (child.height > 0) return false
  if (platform !== undefined) return `${platform.os}/${platform.architecture}` === PLATFORM
  const { config } = child.first ?? {}
  return config !== undefined && (await reads.configOf(config)).platform === PLATFORM
}

function imageOf({ config, created }: StoredManifest): StoredImage {
  return { ...(config ? { config } : {}), ...(created === undefined ? {} : { created }) }
}

function tooDeep(): Problem {
  return new Problem('too_large', `indexes are nested more than ${MAX_HEIGHT} levels deep`, {
    permanent: true,
  })
}

function isUnreachable({ code, fields }: Problem): boolean {
  return code === 'registry_timeout' || (code === 'registry_error' && fields.registryStatus === undefined)
}
