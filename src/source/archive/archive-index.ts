/** The contents of an archive, as plain data: stored next to it, and used to choose an image. */
import { z } from 'zod'
import { isSha256 } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/manifest.ts'
import { Problem } from '../../problem.ts'
import { quoted } from './fault.ts'

const digest = z.string().refine(isSha256)
const names = z.array(z.string())

export const archiveIndexSchema = z.object({
  /** The archive's top-level entries in its order: images or indexes of images. */
  entries: z.array(
    z.object({
      digest,
      mediaType: z.string(),
      size: z.int().nonnegative(),
      /** Full names: `docker.io/library/app:v1`. */
      names,
      /** The reference name in an OCI layout, which may be only a tag. */
      tags: names,
      /** Digests of the images that it leads to. */
      images: z.array(digest),
    }),
  ),
  /** Digests of all indexes, nested ones included. */
  indexes: z.array(digest),
  images: z.array(
    z.object({
      digest,
      mediaType: z.string(),
      size: z.int().nonnegative(),
      /** Digest of the config. */
      id: digest,
      os: z.string(),
      architecture: z.string(),
      variant: z.string().optional(),
    }),
  ),
  /** Where the bytes of each digest are. */
  blobs: z.array(
    z.object({
      digest,
      offset: z.int().nonnegative(),
      size: z.int().nonnegative(),
      compression: z.enum(['gzip', 'zstd', 'none']),
    }),
  ),
  /** Manifests that the archive lacks, made from its other data. */
  made: z.array(z.string()),
})

export type ArchiveIndex = z.infer<typeof archiveIndexSchema>
export type ArchiveEntry = ArchiveIndex['entries'][number]
export type ArchiveImage = ArchiveIndex['images'][number]
export type ArchiveBlob = ArchiveIndex['blobs'][number]

/** What a name refers to: one entry, or several images to choose from by platform. */
export type Choice = { readonly digest: string } | { readonly listing: readonly Descriptor[] }

/** A message lists at most this many names. */
const MAX_LISTED = 20

/** A name as people write it: without Docker Hub's prefix. */
export function familiarName(name: string): string {
  return name.replace(/^docker\.io\/(?:library\/)?/, '')
}

/** The names of an entry to show: full names, or else the reference names of an OCI layout. */
export function namesOf({ names, tags }: ArchiveEntry): readonly string[] {
  return [...new Set((names.length > 0 ? names : tags).map(familiarName))]
}

/** Selects images of an archive by name or digest. Its maps are made once, since an archive may have many names. */
export class ArchiveNames {
  readonly #index: ArchiveIndex
  readonly #digests: ReadonlySet<string>
  readonly #images: ReadonlyMap<string, ArchiveImage>
  readonly #named = new Map<string, Set<ArchiveEntry>>()
  /** What was already looked up; undefined if nothing or more than one image fits. */
  readonly #choices = new Map<string, Choice | undefined>()

  constructor(index: ArchiveIndex) {
    this.#index = index
    this.#images = new Map(index.images.map((image) => [image.digest, image]))
    this.#digests = new Set([...index.indexes, ...this.#images.keys()])
    for (const entry of index.entries)
      for (const name of [...entry.names, ...entry.tags].map(familiarName)) {
        const entries = this.#named.get(name)
        if (entries === undefined) this.#named.set(name, new Set([entry]))
        else entries.add(entry)
      }
  }

  /**
   * @param wanted a name, or the digest of an image or an index; empty if the archive has only one image
   * @throws Problem `image_not_found`; `invalid_reference` if several images fit, with their names
   */
  choose(wanted: string): Choice {
    if (isSha256(wanted)) {
      if (this.#digests.has(wanted)) return { digest: wanted }
      throw notFound(this.#index, `the archive has no image ${wanted}`)
    }
    const choice = this.#choice(wanted)
    if (choice !== undefined) return choice
    const fitting = this.#fitting(wanted)
    if (fitting.length === 0) throw notFound(this.#index, `the archive has no image ${quoted(wanted)}`)
    const detail = `several images of the archive match; choose one by name or digest: ${listed(fitting)}`
    throw new Problem('invalid_reference', detail)
  }

  /** What to write after the archive's own reference to choose this entry: nothing if it is the only one. */
  suffixOf(entry: ArchiveEntry): string {
    if (this.#choice('') !== undefined) return ''
    const name = namesOf(entry).find((one) => !isSha256(one) && this.#choice(one) !== undefined)
    return name === undefined ? `@${entry.digest}` : `:${name}`
  }

  /** The images to which an entry leads. */
  imagesOf({ images }: ArchiveEntry): readonly ArchiveImage[] {
    return images.flatMap((digest) => this.#images.get(digest) ?? [])
  }

  #choice(wanted: string): Choice | undefined {
    if (!this.#choices.has(wanted)) this.#choices.set(wanted, this.#onlyOf(this.#fitting(wanted)))
    return this.#choices.get(wanted)
  }

  #fitting(wanted: string): readonly ArchiveEntry[] {
    if (wanted === '') return this.#index.entries
    const asked = familiarName(wanted)
    // As for a registry, a name without a tag is the latest.
    const hasTag = /[:@]/.test(asked.slice(asked.lastIndexOf('/') + 1))
    const names = hasTag ? [asked] : [asked, `${asked}:latest`]
    const found = new Set(names.flatMap((name) => [...(this.#named.get(name) ?? [])]))
    return found.size < 2 ? [...found] : this.#index.entries.filter((entry) => found.has(entry))
  }

  #onlyOf(fitting: readonly ArchiveEntry[]): Choice | undefined {
    const [first, ...others] = fitting
    if (first === undefined) return undefined
    if (others.length === 0) return { digest: first.digest }
    const digests = new Set(fitting.flatMap((entry) => entry.images))
    const leaves = this.#index.images.filter((image) => digests.has(image.digest))
    const platforms = new Set(
      leaves.map(({ os, architecture, variant }) => JSON.stringify([os, architecture, variant])),
    )
    return platforms.size === leaves.length ? { listing: leaves.map(descriptorOf) } : undefined
  }
}

function descriptorOf({ digest, mediaType, size, os, architecture, variant }: ArchiveImage): Descriptor {
  return { digest, mediaType, size, platform: { os, architecture, ...(variant ? { variant } : {}) } }
}

function notFound(index: ArchiveIndex, why: string): Problem {
  return new Problem('image_not_found', `${why}; it has ${listed(index.entries)}`)
}

function listed(entries: readonly ArchiveEntry[]): string {
  const all = entries.flatMap((entry) => {
    const [name] = namesOf(entry)
    return [name === undefined ? `@${entry.digest}` : quoted(name)]
  })
  const shown = all.slice(0, MAX_LISTED).join(', ')
  return all.length > MAX_LISTED ? `${shown} and ${all.length - MAX_LISTED} others` : shown
}
