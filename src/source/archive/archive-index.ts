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

/**
 * @param wanted a name, or the digest of an image or an index; undefined if the archive has only one image
 * @throws Problem `image_not_found`; `invalid_reference` if several images fit, with their names
 */
export function choose(index: ArchiveIndex, wanted: string): Choice {
  const { entries, images } = index
  if (isSha256(wanted)) {
    if (index.indexes.includes(wanted) || images.some((image) => image.digest === wanted))
      return { digest: wanted }
    throw notFound(index, `the archive has no image ${wanted}`)
  }
  const fitting = wanted === '' ? entries : entries.filter((entry) => isNamed(entry, wanted))
  const [first, ...others] = new Map(fitting.map((entry) => [entry.digest, entry])).values()
  if (first === undefined) throw notFound(index, `the archive has no image ${quoted(wanted)}`)
  if (others.length === 0) return { digest: first.digest }
  const digests = new Set(fitting.flatMap((entry) => entry.images))
  const leaves = images.filter((image) => digests.has(image.digest))
  const platforms = new Set(
    leaves.map(({ os, architecture, variant }) => JSON.stringify([os, architecture, variant])),
  )
  if (platforms.size === leaves.length) return { listing: leaves.map(descriptorOf) }
  const detail = `several images of the archive match; choose one by name or digest: ${listed(fitting)}`
  throw new Problem('invalid_reference', detail)
}

function isNamed(entry: ArchiveEntry, wanted: string): boolean {
  const asked = familiarName(wanted)
  // As for a registry, a name without a tag is the latest.
  const latest = /[:@]/.test(asked.slice(asked.lastIndexOf('/') + 1)) ? asked : `${asked}:latest`
  return [...entry.names, ...entry.tags].map(familiarName).some((name) => name === asked || name === latest)
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
