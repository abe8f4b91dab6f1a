/** Reads what is attached: the bytes of an item, its statement, or a bill of materials. Nothing of it is stored. */
import { type AttachedItem, requireComplete } from '../../attached/items.ts'
import { isSbom, type SbomFormat } from '../../attached/kinds.ts'
import { parseBounded, type StatementFound, statementIn } from '../../attached/statement.ts'
import { verifiedBlob } from '../../layer/verify.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import { Problem } from '../../problem.ts'
import { Semaphore } from '../../semaphore.ts'
import { isJsonObject, toJson } from '../../text/json.ts'
import { within } from '../../timeout.ts'
import { Attachments } from './attachments.ts'
import { type FoundBlob, listAttached } from './list.ts'

/** Of what is streamed. */
const MAX_BYTES = 64 * 1024 * 1024
/** Of what must be held in memory to be understood. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
const DOCUMENT_MILLISECONDS = 28_000
const RETRY_AFTER_SECONDS = 2

/** Bytes of documents that are held at once, in this thread or isolate. */
const DOCUMENTS = new Semaphore({ total: 2 * MAX_DOCUMENT_BYTES, perKey: MAX_DOCUMENT_BYTES })

export type ContentOptions = {
  readonly signal: AbortSignal
  /** Clients share what may be held in memory. */
  readonly client: string
}

/** @throws Problem `too_large` */
export function requireStreamable({ digest, bytes }: FoundBlob): void {
  requireBytes(digest, bytes, MAX_BYTES)
}

/**
 * The bytes, verified: what ends is whole.
 *
 * @throws Problem `too_large`, `invalid_image` for bytes of another digest or size, `layer_unavailable` if the registry does not have
 *   it
 */
export async function* attachedBytes(
  service: Service,
  image: OpenedImage,
  found: FoundBlob,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  requireStreamable(found)
  const { digest, bytes: size, mediaType, manifest } = found
  if (digest === manifest) {
    yield await new Attachments(service, image, { signal }).manifest(digest)
    return
  }
  yield* verifiedBlob(await image.source.blob({ mediaType, digest, size }), { digest, size }, signal)
}

/** The statement in an item, as it was signed, or its predicate. @throws Problem `unknown_format` if there is none */
export async function attachedStatement(
  service: Service,
  image: OpenedImage,
  found: FoundBlob,
  { part, ...options }: ContentOptions & { readonly part: 'statement' | 'predicate' },
): Promise<Uint8Array> {
  return withDocument({ service, image, found, ...options }, (document) => {
    const { statement, bytes } = requireStatement(found.digest, document)
    return part === 'statement' ? bytes : predicateOf(found.digest, statement)
  })
}

/**
 * The first bill of materials of this format: that of the platform's manifest before the index's, then in the list's order.
 *
 * @throws Problem `not_attached`; `registry_error` if there is none in an incomplete list; `unknown_format` if it is not JSON
 */
export async function attachedSbom(
  service: Service,
  image: OpenedImage,
  format: SbomFormat,
  options: ContentOptions,
): Promise<{ readonly digest: string; read(): Promise<Uint8Array> }> {
  const attached = await listAttached(service, image, options)
  const found = attached.items.filter((item) => isSbom(item, format))
  const item = found.find(({ subject }) => subject === image.identity.digest) ?? found[0]
  if (item === undefined) {
    requireComplete(attached)
    throw new Problem('not_attached', `no ${SBOM_NAMES[format]} document is attached to the image`)
  }
  return { digest: item.digest, read: () => readSbom(service, image, item, options) }
}

const SBOM_NAMES = { spdx: 'SPDX', cyclonedx: 'CycloneDX' } as const

function readSbom(
  service: Service,
  image: OpenedImage,
  item: AttachedItem,
  options: ContentOptions,
): Promise<Uint8Array> {
  const { digest, predicateType } = item
  return withDocument({ service, image, found: item, ...options }, (document) => {
    if (predicateType !== undefined) return predicateOf(digest, requireStatement(digest, document).statement)
    const parsed = parseBounded(document)
    // Written again, since a terminal must be able to show it.
    if (isJsonObject(parsed)) return new TextEncoder().encode(toJson(parsed))
    throw new Problem('unknown_format', `the attached blob ${digest} is not a JSON object`)
  })
}

type Wanted = ContentOptions & {
  readonly service: Service
  readonly image: OpenedImage
  readonly found: FoundBlob
}

/** Reads the whole blob, while it has its share of memory. */
async function withDocument<T>(
  { service, image, found, signal, client }: Wanted,
  use: (document: Uint8Array) => T,
): Promise<T> {
  const { digest, bytes } = found
  requireBytes(digest, bytes, MAX_DOCUMENT_BYTES)
  const permit = DOCUMENTS.tryAcquire([client], { weight: bytes })
  if (permit === undefined)
    throw new Problem('rate_limited', 'too many attached documents are being read at once; try again later', {
      retryAfter: RETRY_AFTER_SECONDS,
    })
  const error = () =>
    new Problem('registry_timeout', `could not read the blob ${digest} in time; try again later`)
  try {
    const limit = { milliseconds: DOCUMENT_MILLISECONDS, error, signal }
    return use(await within(limit, (until) => collected(attachedBytes(service, image, found, until), bytes)))
  } finally {
    permit.release()
  }
}

/** @param size which the pieces have together if they end: they are verified */
async function collected(pieces: AsyncIterable<Uint8Array>, size: number): Promise<Uint8Array> {
  const whole = new Uint8Array(size)
  let at = 0
  for await (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

function requireBytes(digest: string, bytes: number, limit: number): void {
  if (bytes <= limit) return
  throw new Problem('too_large', `the attached blob ${digest} has ${bytes} bytes; the limit is ${limit}`, {
    permanent: true,
  })
}

function requireStatement(digest: string, document: Uint8Array): StatementFound {
  const found = statementIn(document)
  if (found !== undefined) return found
  throw new Problem(
    'unknown_format',
    `the attached blob ${digest} has no in-toto statement: neither bare nor in a DSSE envelope or a Sigstore bundle`,
  )
}

function predicateOf(digest: string, { predicate }: StatementFound['statement']): Uint8Array {
  if (isJsonObject(predicate)) return new TextEncoder().encode(toJson(predicate))
  throw new Problem('unknown_format', `the statement in the attached blob ${digest} has no predicate`)
}
