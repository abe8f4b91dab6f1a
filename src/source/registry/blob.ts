/** Opens layers as streams: from the registry, or, if that does not have them, from the URLs in the manifest. */

import { type Descriptor, isEncrypted } from '../../oci/manifest.ts'
import type { Repository } from '../../oci/reference.ts'
import { Problem } from '../../problem.ts'
import type { BlobRange } from '../source.ts'
import type { AuthenticatedClient, Caller, Reading } from './ask.ts'
import { type BlobPart, type BlobSource, blobStream } from './blob-stream.ts'
import { discard } from './body.ts'
import { nameOf, type RegistryRequest, type Subject } from './failure.ts'
import { guardNamed } from './guard.ts'
import { Patience } from './patience.ts'
import { StalledError } from './stalled.ts'
import { type Answer, failureOf } from './transport.ts'

/** Opens it before `deadline`, in milliseconds since 1970. */
type OpenAt = (offset: number, deadline?: number) => ReturnType<BlobSource['open']>

/** A blob, and the end of the requested part; undefined for the blob's own end. */
type Wanted = { readonly descriptor: Descriptor; readonly start: number; readonly end: number | undefined }

/** A connection that has succeeded, already open. */
type OpenBlob = { readonly open: OpenAt; readonly first: BlobPart }

/** An empty blob. */
const nothing = (): BlobPart => ({ body: new Blob([]).stream(), offset: 0 })

/** The `Range` from `offset` to the last requested byte, if that is not the blob's last. */
function rangeFrom(offset: number, end: number | undefined): Readonly<Record<string, string>> {
  if (end !== undefined) return { range: `bytes=${offset}-${end - 1}` }
  return offset === 0 ? {} : { range: `bytes=${offset}-` }
}

/** The answer to a request for a blob from `offset` on. A server may ignore the range and send everything. */
async function partOf(
  { response }: Answer,
  offset: number,
  { refuse }: Pick<Reading, 'refuse'>,
): Promise<BlobPart | undefined> {
  const { status, body } = response
  if (status === 416 && offset > 0) {
    await discard(response)
    return undefined
  }
  if (status === 200) return body === null ? nothing() : { body, offset: 0 }
  const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]
  if (status !== 206 || body === null || Number(start) !== offset) throw await refuse()
  return { body, offset }
}

function atRegistry(
  authenticatedClient: AuthenticatedClient,
  repository: Repository,
  wanted: Wanted,
  caller: Caller,
): OpenAt {
  const { digest } = wanted.descriptor
  const subject: Subject = { kind: 'blob', digest }
  return (offset, deadline) =>
    authenticatedClient.ask(
      repository,
      { method: 'GET', path: `blobs/${digest}`, headers: rangeFrom(offset, wanted.end), subject },
      { deadline, ...caller },
      (answer, reading) => partOf(answer, offset, reading),
    )
}

/** The registry decides which addresses are allowed; its authorization is not sent to the URL. */
function atAddress(
  authenticatedClient: AuthenticatedClient,
  repository: Repository,
  foreign: { readonly digest: string; readonly address: string; readonly end: number | undefined },
  caller: Caller,
): OpenAt {
  const { digest, address, end } = foreign
  const { transport } = authenticatedClient
  const { registry } = repository
  const to = URL.parse(address)
  if (to === null)
    throw new Problem(
      'layer_unavailable',
      `the foreign layer ${digest} of ${registry}/${repository.repository} has an invalid URL`,
    )
  guardNamed(to, 'foreign layer', registry, transport.rulesOf(registry))
  const subject: Subject = { kind: 'blob', digest }
  const what = nameOf({ ...repository, subject, credential: undefined })
  const asked: RegistryRequest = { ...repository, registry: to.host, subject, credential: undefined }
  return (offset, deadline) =>
    transport.limited({ registry: to.host, what, caller: { deadline, ...caller } }, (bounds) =>
      transport.exchange(
        { registry, what, to, method: 'GET', headers: rangeFrom(offset, end), ...bounds },
        (answer) =>
          partOf(answer, offset, {
            refuse: () => authenticatedClient.problemOf({ ...answer, redirected: true }, asked, bounds),
          }),
      ),
    )
}

async function openForeign(
  authenticatedClient: AuthenticatedClient,
  repository: Repository,
  { descriptor: { digest, urls = [] }, start, end }: Wanted,
  caller: Caller,
): Promise<OpenBlob> {
  const { registry } = repository
  const what = `the foreign layer ${digest} of ${registry}/${repository.repository}`
  const open = (address: string, by: Caller) =>
    atAddress(authenticatedClient, repository, { digest, address, end }, by)
  // All URLs together share the time limit of one question.
  return authenticatedClient.transport.limited({ registry, what, caller }, async (bounds) => {
    let last: Problem | undefined
    for (const address of urls) {
      try {
        const first = (await open(address, { ...caller, ...bounds })(start)) ?? nothing()
        return { open: open(address, caller), first }
      } catch (error) {
        bounds.signal?.throwIfAborted()
        if (!(error instanceof Problem)) throw error
        if (last?.code !== 'forbidden_registry') last = error
      }
    }
    if (last?.code === 'forbidden_registry') throw last
    const why = last === undefined ? '' : `: ${last.message}`
    throw new Problem('layer_unavailable', `could not read ${what} from any of its ${urls.length} URLs${why}`)
  })
}

async function open(
  authenticatedClient: AuthenticatedClient,
  repository: Repository,
  wanted: Wanted,
  caller: Caller,
): Promise<OpenBlob> {
  const openAt = atRegistry(authenticatedClient, repository, wanted, caller)
  try {
    return { open: openAt, first: (await openAt(wanted.start)) ?? nothing() }
  } catch (error) {
    const missing = error instanceof Problem && error.code === 'layer_unavailable'
    if (!missing || !wanted.descriptor.urls?.length) throw error
    return openForeign(authenticatedClient, repository, wanted, caller)
  }
}

/** Waits before a dropped blob is reopened, or throws why it is not reopened. */
function recovery(
  { transport }: AuthenticatedClient,
  { registry, what }: { readonly registry: string; readonly what: string },
  { signal, patience }: Pick<Caller, 'signal'> & Pick<BlobSource, 'patience'>,
): BlobSource['recover'] {
  return async (error, cuts) => {
    signal?.throwIfAborted()
    if (error instanceof Problem) throw error
    if (patience.left <= 0) throw transport.unreachable({ registry, what, to: registry }, 'timeout')
    if (error instanceof StalledError && error.tooSlow)
      throw new Problem(
        'registry_timeout',
        `could not read ${what}: ${registry} is too slow: ${error.message}`,
      )
    if (cuts > transport.retries)
      throw transport.unreachable({ registry, what, to: registry }, failureOf(error))
    await transport.clock.sleep(transport.backoff(cuts - 1), signal)
  }
}

/** See `RegistryClient.blob`. */
export async function openBlob(
  authenticatedClient: AuthenticatedClient,
  repository: Repository,
  { descriptor, range }: { readonly descriptor: Descriptor; readonly range?: BlobRange | undefined },
  caller: Caller,
): Promise<ReadableStream<Uint8Array>> {
  if (isEncrypted(descriptor))
    throw new Problem('layer_unavailable', `the layer ${descriptor.digest} is encrypted`, { permanent: true })
  // One byte more, so that a reader that counts notices a blob that is too long.
  const { offset: start, length } = range ?? { offset: 0, length: descriptor.size + 1 }
  const bounds = { start, end: start + length }
  if (length === 0) return new Blob([]).stream()
  const subject: Subject = { kind: 'blob', digest: descriptor.digest }
  const what = nameOf({ ...repository, subject, credential: undefined })
  const wanted: Wanted = { descriptor, start, end: range === undefined ? undefined : bounds.end }
  const { transport } = authenticatedClient
  const patience = new Patience(transport.questionMilliseconds)
  const { open: openAt, first } = await patience.during(() =>
    open(authenticatedClient, repository, wanted, caller),
  )
  const { signal } = caller
  const source: BlobSource = {
    open: (offset) => openAt(offset, transport.clock.now() + patience.left),
    timeouts: transport.timeouts,
    patience,
    recover: recovery(authenticatedClient, { registry: repository.registry, what }, { signal, patience }),
  }
  return blobStream(source, first, bounds)
}
