/** Which layers have a table of contents that their manifest vouches for, and where the manifest says it is. */
import type { Descriptor } from '../../oci/manifest.ts'
import { Problem } from '../../problem.ts'

/** Annotations of a layer's descriptor, as stargz-snapshotter and containers/storage define them. */
const STARGZ_DIGEST = 'containerd.io/snapshot/stargz/toc.digest'
const STARGZ_SIZE = 'io.containers.estargz.uncompressed-size'
const CHUNKED_DIGEST = 'io.github.containers.zstd-chunked.manifest-checksum'
const CHUNKED_POSITION = 'io.github.containers.zstd-chunked.manifest-position'

const SHA256 = /^sha256:[0-9a-f]{64}$/
/** Offset, size, size of the JSON, and the type, which is always 1. */
const POSITION = /^(\d{1,15}):(\d{1,15}):(\d{1,15}):1$/
/** Magic number and length, before the content of a skippable frame. */
const SKIPPABLE_HEADER = 8

/** Limits on a table, as stored and as JSON. */
export const MAX_TABLE_BYTES = 128 * 1024 * 1024

/** Every fault of a table begins with this. */
export const TABLE = 'the table of contents'

type Layer = Pick<Descriptor, 'size' | 'annotations'>

export type VerifiedToc =
  /** `digest` is that of the JSON; the end of the blob says where the table begins. */
  | { readonly form: 'estargz'; readonly digest: string }
  | {
      readonly form: 'zstd:chunked'
      /** Position of the stored table. */
      readonly digest: string
      readonly offset: number
      readonly bytes: number
      readonly jsonBytes: number
      /** Where the content of the blob ends. */
      readonly contentEnd: number
    }

/** The manifest's digest of the layer's table of contents; undefined for a layer without one. */
export function tableDigest({ annotations = {} }: Pick<Descriptor, 'annotations'>): string | undefined {
  const isChunked = CHUNKED_POSITION in annotations
  const digest = (isChunked ? annotations[CHUNKED_DIGEST] : undefined) ?? annotations[STARGZ_DIGEST]
  return digest !== undefined && SHA256.test(digest) ? digest : undefined
}

/**
 * Undefined for a layer without a table.
 *
 * @throws Problem `invalid_image`, `too_large` if it cannot be where the manifest says
 */
export function verifiedToc(layer: Layer): VerifiedToc | undefined {
  const digest = tableDigest(layer)
  if (digest === undefined) return undefined
  const { annotations = {}, size } = layer
  const position = annotations[CHUNKED_POSITION]
  if (position === undefined || annotations[CHUNKED_DIGEST] !== digest) return { form: 'estargz', digest }
  const [offset = 0, bytes = 0, jsonBytes = 0] = (POSITION.exec(position)?.slice(1) ?? []).map(Number)
  const contentEnd = offset - SKIPPABLE_HEADER
  if (contentEnd < 0 || bytes === 0 || offset + bytes > size) {
    const where = `${CHUNKED_POSITION} is ${JSON.stringify(position)}`
    throw invalidTable(`${where}, which is not a place in a blob of ${size} bytes`)
  }
  requireTableSize(Math.max(bytes, jsonBytes))
  return { form: 'zstd:chunked', digest, offset, bytes, jsonBytes, contentEnd }
}

/** The size of the layer's tar according to the manifest; undefined if it does not say. */
export function declaredTarBytes({ annotations = {} }: Pick<Descriptor, 'annotations'>): number | undefined {
  const declared = annotations[STARGZ_SIZE]
  return declared !== undefined && /^\d{1,15}$/.test(declared) ? Number(declared) : undefined
}

/** @throws Problem `too_large` */
export function requireTableSize(bytes: number): void {
  if (bytes <= MAX_TABLE_BYTES) return
  throw new Problem('too_large', `${TABLE} has ${bytes} bytes; the limit is ${MAX_TABLE_BYTES}`, {
    permanent: true,
  })
}

/** A fault of a table whose bytes are those that the manifest vouches for. */
export function invalidTable(detail: string): Problem {
  return new Problem('invalid_image', `${TABLE} is invalid: ${detail}`, { permanent: true })
}
