/**
 * The images of a repository, like `docker image ls`: from manifests and configs alone, with as few requests to the registry as
 * possible.
 */
import { inParallel } from '../../concurrency.ts'
import { manifestFigures } from '../../oci/figures.ts'
import { formatPlatform, parsePlatform } from '../../oci/platform.ts'
import type { Repository } from '../../oci/reference.ts'
import { selectImage } from '../../oci/select.ts'
import type { RepositoryImage } from '../../open/caches.ts'
import { type CallerCredentials, refOf } from '../../open/open-image.ts'
import { openSource } from '../../open/open-source.ts'
import type { Service } from '../../open/service.ts'
import type { VisibleSource } from '../../open/visible-source.ts'
import { Problem, type ProblemCode } from '../../problem.ts'
import { compareNames } from '../../text/natural-order.ts'
import { within } from '../../timeout.ts'

/** A tag, and its image or why it has none. */
export type TaggedImage = { readonly name: string } & (RepositoryImage | { readonly problem: Problem })

export const SORTS = ['name', 'created', '-compressedBytes'] as const
export type Sort = (typeof SORTS)[number]

export type RepositoryQuestion = {
  readonly repository: Repository
  readonly credentials: CallerCredentials
  readonly platform?: string | undefined
  /** Filters tags. */
  readonly tag: (name: string) => boolean
  readonly sort: Sort
  readonly signal?: AbortSignal | undefined
}

export type RepositoryPage = {
  readonly items: readonly TaggedImage[]
  /** Where the next page begins; undefined on the last page. */
  readonly next?: string
}

/** Limit on the tags of a repository that are sorted: far more than anybody reads. */
const MAX_TAGS = 50_000
const TAGS_AT_ONCE = 1_000
/** Limit on the tags whose manifests are read to sort by them. */
const MAX_SORTED = 1_000
/** Requests to the registry at the same time. */
const QUESTIONS_AT_ONCE = 4
/** A page that takes longer ends with the tags read so far. */
const PAGE_MILLISECONDS = 45_000
const TAG_MILLISECONDS = 60_000
const STREAMED_AT_ONCE = 50

/** The error of one tag; the others are listed anyway. */
const OF_ONE_TAG: ReadonlySet<ProblemCode> = new Set([
  'image_not_found',
  'invalid_image',
  'layer_unavailable',
  'not_an_image',
  'platform_not_found',
  'too_large',
  'unsupported_digest',
])

/** A repository as one caller sees it. */
export class RepositoryImages {
  readonly #service: Service
  readonly #question: RepositoryQuestion
  readonly #source: VisibleSource

  constructor(service: Service, question: RepositoryQuestion) {
    this.#service = service
    this.#question = question
    const { repository, credentials, signal } = question
    this.#source = openSource(service, refOf({ transport: 'docker', ...repository }, credentials), signal)
    if (question.platform !== undefined) parsePlatform(question.platform)
  }

  /** The registry shows all of it without credentials. */
  get isPublic(): boolean {
    return this.#source.isPublic
  }

  /**
   * A page of the list; shorter than requested if the registry limits requests.
   *
   * @param after the `next` of the previous page
   * @throws Problem `image_not_found`, `unauthorized`, … if the repository cannot be listed; `invalid_parameter` for an invalid
   *   `after`, or for too many tags to sort; `registry_error` if no tag could be read
   */
  async page(after: string | undefined, limit: number): Promise<RepositoryPage> {
    if (this.#question.sort !== 'name') return this.#sortedPage(after, limit)
    const names = await this.#names()
    const rest = after === undefined ? names : names.filter((name) => compareNames(name, after) >= 0)
    const { items, stopped } = await this.#read(rest.slice(0, limit))
    if (items.length === 0 && stopped !== undefined) throw stopped
    const next = rest[items.length]
    return { items, ...(next === undefined ? {} : { next }) }
  }

  /** The whole list, in parts. @throws Problem as {@link page}, and if the registry limits requests */
  async *all(): AsyncGenerator<readonly TaggedImage[], void> {
    if (this.#question.sort !== 'name') {
      yield await this.#sorted()
      return
    }
    const names = await this.#names()
    for (let begin = 0; begin < names.length; begin += STREAMED_AT_ONCE) {
      const { items, stopped } = await this.#read(names.slice(begin, begin + STREAMED_AT_ONCE))
      if (stopped !== undefined) throw stopped
      yield items
    }
  }

  /**
   * The newest tags, oldest first; sorted by size, the largest as listed.
   *
   * @throws Problem as {@link page}
   */
  async newest(limit: number): Promise<readonly TaggedImage[]> {
    if (this.#question.sort !== 'name') {
      const first = (await this.#sorted()).slice(0, limit)
      return this.#question.sort === 'created' ? first.reverse() : first
    }
    // Begins with the last tag, so that a rate limit costs the oldest ones.
    const names = (await this.#names()).slice(-limit).reverse()
    const { items, stopped } = await this.#read(names)
    if (items.length === 0 && stopped !== undefined) throw stopped
    return items.toReversed()
  }

  async #sortedPage(after: string | undefined, limit: number): Promise<RepositoryPage> {
    const sorted = await this.#sorted()
    const begin = after === undefined ? 0 : sorted.findIndex(({ name }) => name === after)
    if (begin < 0)
      throw new Problem('invalid_parameter', `cursor: the tag ${after} is gone; start again without cursor`, {
        parameter: 'cursor',
      })
    const next = sorted[begin + limit]?.name
    return { items: sorted.slice(begin, begin + limit), ...(next === undefined ? {} : { next }) }
  }

  /** Results are remembered, so that after a rate limit the next attempt continues from there. */
  async #sorted(): Promise<TaggedImage[]> {
    const names = await this.#names()
    if (names.length > MAX_SORTED)
      throw new Problem(
        'invalid_parameter',
        `sort=${this.#question.sort} reads the manifest of each tag, at most ${MAX_SORTED} of them; ${names.length} match: filter with tag, or use sort=name`,
        { parameter: 'sort' },
      )
    const { items, stopped } = await this.#read(names)
    if (stopped !== undefined) throw stopped
    return items.toSorted((a, b) => this.#compare(a, b) || compareNames(a.name, b.name))
  }

  /** Tags without an image last. */
  #compare(a: TaggedImage, b: TaggedImage): number {
    if ('problem' in a || 'problem' in b) return Number('problem' in a) - Number('problem' in b)
    if (this.#question.sort === '-compressedBytes') return b.compressedBytes - a.compressedBytes
    return timeOf(b) - timeOf(a)
  }

  /**
   * All requested tags, in natural order.
   *
   * @throws Problem as {@link page}
   */
  names(): Promise<readonly string[]> {
    return this.#names()
  }

  /**
   * These tags, in this order.
   *
   * @throws Problem as {@link page}, and if the registry limits requests
   */
  async read(names: readonly string[]): Promise<readonly TaggedImage[]> {
    const { items, stopped } = await this.#read(names)
    if (stopped !== undefined) throw stopped
    return items
  }

  /** All requested tags, in natural order. */
  async #names(): Promise<readonly string[]> {
    const { memory } = this.#service
    const { repository, signal, tag } = this.#question
    const { ref } = this.#source
    const known = memory.tags.get(this.#source.scope)
    if (known !== undefined) return known.filter(tag)
    const credential = 'credential' in ref && ref.credential ? { credential: ref.credential } : {}
    const found = new Set<string>()
    let after: string | undefined
    do {
      const page = { limit: TAGS_AT_ONCE, ...(after === undefined ? {} : { after }) }
      const { names, next } = await this.#service.client.tags(repository, { ...credential, signal }, page)
      for (const name of names) found.add(name)
      if (found.size > MAX_TAGS)
        throw new Problem('too_large', `the repository has more than ${MAX_TAGS} tags; /v1/tags lists them`)
      after = next
    } while (after !== undefined)
    const names = [...found].sort(compareNames)
    memory.tags.set(this.#source.scope, names)
    return names.filter(tag)
  }

  /** @returns the tags before the first failure, and the failure */
  async #read(
    names: readonly string[],
  ): Promise<{ readonly items: readonly TaggedImage[]; readonly stopped?: Problem }> {
    const end = Date.now() + PAGE_MILLISECONDS
    let stopped: Problem | undefined
    const read = await inParallel(names, QUESTIONS_AT_ONCE, async (name) => {
      if (stopped !== undefined) return undefined
      if (Date.now() > end) {
        stopped = new Problem('registry_timeout', 'the registry is responding slowly; continue from here', {
          retryAfter: 1,
        })
        return undefined
      }
      const item = await this.#tagged(name)
      if ('problem' in item && isRateLimit(item.problem)) {
        stopped ??= item.problem
        return undefined
      }
      return item
    })
    const items: TaggedImage[] = []
    for (const item of read) {
      if (item === undefined) break
      items.push(item)
    }
    return { items, ...(stopped === undefined ? {} : { stopped }) }
  }

  async #tagged(name: string): Promise<TaggedImage> {
    const { registry, repository } = this.#question.repository
    const error = () =>
      new Problem(
        'registry_timeout',
        `${registry} took too long to answer for ${registry}/${repository}:${name}`,
      )
    const limit = { milliseconds: TAG_MILLISECONDS, signal: this.#question.signal, error }
    try {
      return { name, ...(await within(limit, (signal) => this.#image(name, signal))) }
    } catch (error) {
      if (error instanceof Problem && (isRateLimit(error) || isOfOneTag(error)))
        return { name, problem: error.with({ image: `${registry}/${repository}:${name}` }) }
      throw error
    }
  }

  /** A manifest and its config; for a tag that was read before, a HEAD is enough. */
  async #image(name: string, signal: AbortSignal): Promise<RepositoryImage> {
    const { memory } = this.#service
    const { platform } = this.#question
    const source = openSource(this.#service, this.#source.ref, signal)
    const tag = `${source.scope} ${name}`
    const { digest } = await source.resolve(name, memory.readTags.get(tag) ? undefined : 'manifest')
    memory.readTags.set(tag, true)
    const key = `${source.scope} ${digest} ${platform ?? ''}`
    const known = memory.repositoryImages.get(key)
    if (known !== undefined) return known
    const { manifest, config, ...selected } = await selectImage({
      top: { digest, bytes: await source.manifest(digest, name) },
      read: (descriptor, kind) => source.read(descriptor, kind),
      platform: platform === undefined ? undefined : parsePlatform(platform),
    })
    const image: RepositoryImage = {
      digest: selected.digest,
      id: manifest.config.digest,
      platform: formatPlatform(selected.platform),
      ...(config.created === undefined ? {} : { created: config.created }),
      ...manifestFigures(manifest),
      stored: manifest.layers.map(({ digest, size }, index) => ({
        index,
        digest,
        diffId: config.diffIds[index] ?? digest,
        compressedBytes: size,
        isPlain: false,
      })),
    }
    memory.repositoryImages.set(key, image)
    return image
  }
}

function timeOf({ created }: RepositoryImage): number {
  const time = Date.parse(created ?? '')
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time
}

/** The registry has had enough. */
export function isRateLimit({ code, fields }: Problem): boolean {
  return code === 'registry_error' && fields.registryStatus === 429
}

/** What the registry said about one tag only: a missing blob, a manifest that these credentials may not read. */
function isOfOneTag({ code, fields }: Problem): boolean {
  if (OF_ONE_TAG.has(code)) return true
  const { registryStatus: status } = fields
  return (code === 'registry_error' || code === 'unauthorized') && status !== undefined && status < 500
}
