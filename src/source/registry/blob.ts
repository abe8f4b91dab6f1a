/** Layers as streams: from the registry or, where that does not have them, from the addresses that the manifest names. */

import { type Descriptor, isEncrypted } from '../../oci/manifest.ts'
import type { Repository } from '../../oci/reference.ts'
import { Problem } from '../../problem.ts'
import { type AuthenticatedClient, boundsOf, type Caller } from './ask.ts'
import { type BlobPart, type BlobSource, blobStream } from './blob-stream.ts'
import { discard } from './body.ts'
import type { Asked, Subject } from './failure.ts'
import { guardNamed } from './guard.ts'
import { type Answer, failureOf } from './transport.ts'
import { StalledError } from './wait.ts'

type OpenAt = BlobSource['open']

/** A way to the blob that proved good, already open. */
type OpenBlob = { readonly open: OpenAt; readonly first: BlobPart }

/** Of a blob without bytes. */
const nothing = (): BlobPart => ({ body: new Blob([]).stream(), offset: 0 })

function rangeFrom(offset: number): Readonly<Record<string, string>> {
  return offset === 0 ? {} : { range: `bytes=${offset}-` }
}

/** The answer to a request for a blob from `offset` on. A server may ignore the range, and give the whole. */
async function partOf(
  { response }: Answer,
  offset: number,
  refuse: () => Promise<Problem>,
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
  digest: string,
  caller: Caller,
): OpenAt {
  const subject: Subject = { kind: 'blob', digest }
  return (offset) =>
    authenticatedClient.ask(
      repository,
      { method: 'GET', path: `blobs/${digest}`, headers: rangeFrom(offset), subject },
      caller,
      (answer, refuse) => partOf(answer, offset, refuse),
    )
}

/** Whose request it is stays the registry, which decides what may be reached; it gets no authorization on the way. */
function atAddress(
  authenticatedClient: AuthenticatedClient,
  repository: Repository,
  foreign: { readonly digest: string; readonly address: string },
  caller: Caller,
): OpenAt {
  const { digest, address } = foreign
  const to = URL.parse(address)
  if (to === null)
    throw new Problem('layer_unavailable', `the foreign layer ${digest} has an address that is none`)
  guardNamed(to, 'foreign layer', repository.registry, authenticatedClient.configuration)
  const asked: Asked = {
    ...repository,
    registry: to.host,
    subject: { kind: 'blob', digest },
    credential: undefined,
  }
  return (offset) =>
    authenticatedClient.transport.exchange(
      { registry: repository.registry, to, method: 'GET', headers: rangeFrom(offset), ...boundsOf(caller) },
      (answer) =>
        partOf(answer, offset, () => authenticatedClient.problemOf({ ...answer, redirected: true }, asked)),
    )
}

async function openForeign(
  authenticatedClient: AuthenticatedClient,
  repository: Repository,
  { digest, urls = [] }: Descriptor,
  caller: Caller,
): Promise<OpenBlob> {
  let last: Problem | undefined
  for (const address of urls) {
    try {
      const open = atAddress(authenticatedClient, repository, { digest, address }, caller)
      return { open, first: (await open(0)) ?? nothing() }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      if (last?.code !== 'forbidden_registry') last = error
    }
  }
  if (last?.code === 'forbidden_registry') throw last
  const why = last === undefined ? '' : `: ${last.message}`
  throw new Problem('layer_unavailable', `none of the addresses of the foreign layer ${digest} gave it${why}`)
}

async function open(
  authenticatedClient: AuthenticatedClient,
  repository: Repository,
  descriptor: Descriptor,
  caller: Caller,
): Promise<OpenBlob> {
  const openAt = atRegistry(authenticatedClient, repository, descriptor.digest, caller)
  try {
    return { open: openAt, first: (await openAt(0)) ?? nothing() }
  } catch (error) {
    const missing = error instanceof Problem && error.code === 'layer_unavailable'
    if (!missing || !descriptor.urls?.length) throw error
    return openForeign(authenticatedClient, repository, descriptor, caller)
  }
}

/** Waits before a blob that was cut is opened again, or says why it is not to be. */
function recovery(
  { transport }: AuthenticatedClient,
  registry: string,
  caller: Caller,
): BlobSource['recover'] {
  return async (error, cuts) => {
    caller.signal?.throwIfAborted()
    if (error instanceof Problem) throw error
    if (error instanceof StalledError && error.tooSlow)
      throw new Problem('registry_timeout', `${registry} is too slow: ${error.message}`)
    if (cuts > transport.retries) throw transport.unreachable(registry, failureOf(error))
    await transport.clock.sleep(transport.backoff(cuts - 1), caller.signal)
  }
}

/** See `RegistryClient.blob`. */
export async function openBlob(
  authenticatedClient: AuthenticatedClient,
  repository: Repository,
  descriptor: Descriptor,
  caller: Caller,
): Promise<ReadableStream<Uint8Array>> {
  if (isEncrypted(descriptor))
    throw new Problem('layer_unavailable', `the layer ${descriptor.digest} is encrypted`, { lasting: true })
  const { open: openAt, first } = await open(authenticatedClient, repository, descriptor, caller)
  const source: BlobSource = {
    open: openAt,
    timeouts: authenticatedClient.transport.timeouts,
    recover: recovery(authenticatedClient, repository.registry, caller),
  }
  // One byte more tells whoever counts that the blob is too long.
  return blobStream(source, first, descriptor.size + 1)
}
