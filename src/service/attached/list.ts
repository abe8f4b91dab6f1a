/** Lists what is attached to an image: in its index, by the referrers API of its registry, and under tags. */
import {
  type Attached,
  type AttachedManifest,
  type Draft,
  draftsOf,
  finished,
  inOrder,
  MAX_STATEMENT_BYTES,
  needsStatement,
  requireComplete,
  SOURCES,
  type Source,
} from '../../attached/items.ts'
import type { Kind } from '../../attached/kinds.ts'
import { statementIn } from '../../attached/statement.ts'
import { inParallel } from '../../concurrency.ts'
import { attestationsFor, parseArtifact } from '../../oci/artifact.ts'
import { isSha256 } from '../../oci/digest.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import { Problem } from '../../problem.ts'
import { entriesOfIndex } from '../../source/registry/referrers.ts'
import { indexOf } from '../base/names.ts'
import { Attachments, type ListingTime } from './attachments.ts'

const AT_ONCE = 4
const MAX_PAGES = 20
const MAX_MANIFESTS = 200
/** Of all manifests together, so that hostile ones fill no memory. */
const MAX_ITEMS = 1_000
/** Blobs that are read to know what they are. */
const MAX_STATEMENTS = 16

const COSIGN: readonly (readonly [suffix: string, kind: Kind | undefined])[] = [
  ['.sig', 'signature'],
  ['.att', undefined],
  ['.sbom', 'sbom'],
]

/** What cannot be read is a problem in the list. */
export async function listAttached(
  service: Service,
  image: OpenedImage,
  options: { readonly signal: AbortSignal; readonly time?: ListingTime },
): Promise<Attached> {
  return new Lister(image, new Attachments(service, image, options)).list()
}

/** What a digest names of all that is attached. */
export type FoundBlob = Pick<Draft, 'digest' | 'bytes' | 'mediaType' | 'manifest'>

/**
 * An item by the digest of its blob, without reading what kind it is.
 *
 * @throws Problem `not_attached`; `registry_error` if the list is incomplete and does not have it
 */
export async function findAttached(
  service: Service,
  image: OpenedImage,
  digest: string,
  options: { readonly signal: AbortSignal; readonly time?: ListingTime },
): Promise<FoundBlob> {
  return new Lister(image, new Attachments(service, image, options)).find(digest)
}

/** A list says that this manifest is attached. */
type Listing = {
  readonly source: Source
  readonly subject: string
  readonly digest: string
  readonly byTag?: Kind
  /** The manifest, if it was read by its tag. */
  readonly bytes?: Uint8Array
}

class Lister {
  readonly #image: OpenedImage
  readonly #attachments: Attachments
  readonly #subjects: readonly string[]
  readonly #problems = new Map<Source, Problem>()
  #itemsLeft = MAX_ITEMS

  constructor(image: OpenedImage, attachments: Attachments) {
    const { digest, indexDigest } = image.identity
    this.#image = image
    this.#attachments = attachments
    this.#subjects = indexDigest === undefined ? [digest] : [digest, indexDigest]
  }

  async list(): Promise<Attached> {
    const drafts = await this.#readAll(await this.#listings())
    const stated = await this.#statements(drafts)
    const items = inOrder(drafts.map((draft) => finished(draft, stated.get(draft))))
    return { subjects: this.#subjects, items, ...this.#verdict() }
  }

  async find(digest: string): Promise<FoundBlob> {
    const drafts = await this.#readAll(await this.#listings())
    const found = drafts.find((draft) => draft.digest === digest)
    if (found !== undefined) return found
    requireComplete(this.#verdict())
    throw new Problem('not_attached', `${digest} is not attached to the image; /v1/attached lists what is`)
  }

  #verdict(): Pick<Attached, 'complete' | 'problems'> {
    const problems = SOURCES.flatMap((source) => {
      const problem = this.#problems.get(source)
      return problem === undefined ? [] : [{ source, problem }]
    })
    return { complete: problems.length === 0, problems }
  }

  /** By source, then by subject. */
  async #listings(): Promise<readonly Listing[]> {
    const index = await indexOf(this.#image)
    const subject = this.#image.identity.digest
    const attested = index === undefined ? [] : attestationsFor(index, subject)
    const inIndex = attested.map(({ digest }) => ({ source: 'index', subject, digest }) as const)
    if (!this.#attachments.isRegistry) return inIndex
    const subjects = this.#subjects
    const asks: readonly (readonly [Source, () => Promise<readonly Listing[]>])[] = [
      ...subjects.map((one) => ['referrers', () => this.#referrers(one)] as const),
      ...subjects.map((one) => ['tag', () => this.#fallback(one)] as const),
      ...subjects.flatMap((one) =>
        COSIGN.map(([suffix, kind]) => ['tag', () => this.#cosign(one, suffix, kind)] as const),
      ),
    ]
    const lists = await inParallel(asks, AT_ONCE, ([source, ask]) => this.#unlessProblem(source, ask))
    return [...inIndex, ...lists.flatMap((list) => list ?? [])]
  }

  /** If a page fails, those before it are listed all the same. */
  async #referrers(subject: string): Promise<readonly Listing[]> {
    const found: Listing[] = []
    const queries = new Set<string | undefined>()
    let query: string | undefined
    try {
      do {
        requirePage(queries, query)
        const page = await this.#attachments.referrers(subject, query)
        found.push(...this.#entries(page?.entries ?? [], { source: 'referrers', subject }))
        if (found.length > MAX_MANIFESTS) throw tooMany()
        if (page?.next instanceof Problem) throw page.next
        query = page?.next
      } while (query !== undefined)
    } catch (error) {
      this.#note('referrers', error)
    }
    return found
  }

  async #fallback(subject: string): Promise<readonly Listing[]> {
    const tag = subject.replace(':', '-')
    const found = await this.#attachments.tagged(tag)
    // GitLab takes this tag for the digest.
    if (found === undefined || found.digest === subject) return []
    const entries = entriesOfIndex(found.bytes)
    if (entries === undefined) throw new Problem('registry_error', `the tag ${tag} is not an image index`)
    return this.#entries(entries, { source: 'tag', subject })
  }

  async #cosign(subject: string, suffix: string, byTag: Kind | undefined): Promise<readonly Listing[]> {
    const found = await this.#attachments.tagged(`${subject.replace(':', '-')}${suffix}`)
    if (found === undefined || found.digest === subject) return []
    const { digest, bytes } = found
    return [{ source: 'tag', subject, digest, bytes, ...(byTag === undefined ? {} : { byTag }) }]
  }

  #entries(entries: readonly unknown[], listing: Pick<Listing, 'source' | 'subject'>): readonly Listing[] {
    return entries.flatMap((entry) => {
      if (typeof entry === 'object' && entry !== null && 'digest' in entry) {
        const { digest } = entry
        if (typeof digest === 'string' && isSha256(digest)) return [{ ...listing, digest }]
      }
      this.#note(listing.source, new Problem('registry_error', 'an entry of the list has no sha256 digest'))
      return []
    })
  }

  /** Each manifest once. */
  async #readAll(listings: readonly Listing[]): Promise<readonly Draft[]> {
    const byDigest = [...Map.groupBy(listings, ({ digest }) => digest).values()]
    const [over] = byDigest[MAX_MANIFESTS] ?? []
    if (over !== undefined) this.#note(over.source, tooMany())
    const drafts = await inParallel(byDigest.slice(0, MAX_MANIFESTS), AT_ONCE, async (same) => {
      const [first] = same
      return first && this.#unlessProblem(first.source, () => this.#read(first, same))
    })
    return drafts.flatMap((some) => some ?? [])
  }

  /** The items of a manifest; none if it says that it is attached to something else. */
  async #read(first: Listing, same: readonly Listing[]): Promise<readonly Draft[]> {
    const { digest } = first
    const bytes =
      same.find((listing) => listing.bytes !== undefined)?.bytes ?? (await this.#attachments.manifest(digest))
    const artifact = parseArtifact(bytes)
    const listing = same.find((one) => isAttachedTo(artifact.subject, one))
    if (listing === undefined) return []
    const { source, subject, byTag } = listing
    const { digest: own, platform } = this.#image.identity
    const manifest: AttachedManifest = {
      artifact,
      digest,
      bytes: bytes.byteLength,
      source,
      subject,
      platform: subject === own ? platform : undefined,
      byTag,
    }
    const drafts = draftsOf(manifest)
    const listed = drafts.slice(0, this.#itemsLeft)
    this.#itemsLeft -= listed.length
    if (listed.length < drafts.length)
      this.#note(source, new Problem('too_large', `more than ${MAX_ITEMS} items are attached`))
    return listed
  }

  /** The predicate types of what only its content says. */
  async #statements(drafts: readonly Draft[]): Promise<ReadonlyMap<Draft, string>> {
    const stated = new Map<Draft, string>()
    const asked = drafts.filter(needsStatement).slice(0, MAX_STATEMENTS)
    await inParallel(asked, AT_ONCE, async (draft) => {
      const { mediaType, digest, bytes: size } = draft
      try {
        const bytes = await this.#attachments.blob({ mediaType, digest, size }, MAX_STATEMENT_BYTES)
        const predicateType = statementIn(bytes)?.statement.predicateType
        if (predicateType !== undefined) stated.set(draft, predicateType)
      } catch (error) {
        // It is listed by its media type.
        if (!(error instanceof Problem)) throw error
      }
    })
    return stated
  }

  async #unlessProblem<T>(source: Source, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask()
    } catch (error) {
      this.#note(source, error)
      return undefined
    }
  }

  /** The first of each source is told. */
  #note(source: Source, error: unknown): void {
    if (!(error instanceof Problem) || error.code === 'store_error') throw error
    if (!this.#problems.has(source)) this.#problems.set(source, error)
  }
}

/** @param queries of the pages before, to which this page's is added */
function requirePage(queries: Set<string | undefined>, query: string | undefined): void {
  if (queries.has(query))
    throw new Problem('registry_error', 'the pages of the list of referrers form a loop')
  if (queries.size === MAX_PAGES)
    throw new Problem('too_large', `the list of referrers has more than ${MAX_PAGES} pages`)
  queries.add(query)
}

function tooMany(): Problem {
  return new Problem(
    'too_large',
    `more than ${MAX_MANIFESTS} manifests are attached; the others are not listed`,
  )
}

/** Lists of the API and the fallback tag may be wrong. */
function isAttachedTo(said: string | undefined, { source, subject, bytes }: Listing): boolean {
  return said === undefined || said === subject || source === 'index' || bytes !== undefined
}
