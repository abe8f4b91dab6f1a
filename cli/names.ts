/**
 * Images by the names that people type: a file, a folder or stdin need no transport, and what a registry does not have may be in
 * the engine of this machine.
 */
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { terminalText } from '../src/formats/escape.ts'
import { AUTO_BASE } from '../src/gate/rules.ts'
import { compressionOf } from '../src/oci/compression.ts'
import { formatImageReference, parseImageReference } from '../src/oci/image-reference.ts'
import { Problem } from '../src/problem.ts'
import { findEngine } from './engine.ts'
import { Failure, systemReason } from './failure.ts'
import type { Request, Source } from './program.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Parameters whose values are images. */
export const IMAGES: readonly string[] = ['image', 'from', 'to', 'baseline', 'baseImage']
/** Looks like a file, whatever is there. */
const PATH = /^(?:\.{0,2}\/|~\/)|\.(?:tar|tgz|tar\.gz|tar\.zst)$/
const TRANSPORT = /^(?:[a-z-]+:\/\/|(?:upload|docker-daemon|docker-archive|oci-archive|oci):)/
/** Where `ustar` stands in a tar. */
const MAGIC = { at: 257, text: 'ustar' }
const ENGINE_MILLISECONDS = 10_000

/** What a request says about names. */
export type Named = Pick<Request, 'parameters'> & {
  readonly settings: Pick<Request['settings'], 'source'>
}

/** The request with a transport for each image that is not in a registry. */
export async function withTransports<Asked extends Named>(request: Asked): Promise<Asked> {
  return mapImages(request, (name) => withTransport(name, request.settings.source))
}

/** @throws Failure for a path where nothing is */
export async function withTransport(name: string, source: Source | undefined): Promise<string> {
  if (name === '-') return 'docker-archive:-'
  if (TRANSPORT.test(name)) return name
  if (source === 'engine') return `docker-daemon:${name}`
  const found = await stat(name).catch((error: NodeJS.ErrnoException) => error)
  if (found instanceof Error) {
    if (!/^\.{0,2}\//.test(name)) return name
    throw new Failure('image_not_found', `cannot read ${name}: ${systemReason(found)}`)
  }
  if (found.isDirectory()) {
    if (await isFile(join(name, 'oci-layout'))) return `oci:${name}`
    if (!/^\.{0,2}\//.test(name)) return name
    throw new Failure('image_not_found', `the folder ${name} is no OCI layout: it has no file oci-layout`)
  }
  return PATH.test(name) || (await isArchive(name)) ? `docker-archive:${name}` : name
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true
}

/** A file may be called like an image: its first bytes tell. */
async function isArchive(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return false
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0)
    const head = buffer.subarray(0, bytesRead)
    return (
      compressionOf(head) !== 'none' ||
      head.toString('latin1', MAGIC.at, MAGIC.at + MAGIC.text.length) === MAGIC.text
    )
  } finally {
    await file.close()
  }
}

type Asker = { readonly env: Environment; readonly signal: AbortSignal }
type Teller = Asker & { tell(line: string): void }

/**
 * The request with the image of the engine in place of the one that its registry did not have or show.
 *
 * @param failure is thrown again, with what else was tried, if the engine does not have the image either
 */
export async function fromEngine<Asked extends Named>(
  request: Asked,
  failure: unknown,
  { tell, ...asker }: Teller,
): Promise<Asked> {
  const name = missingImage(request, failure)
  if (name === undefined || !(failure instanceof Failure)) throw failure
  const absence = await absenceOf(name, asker)
  if (absence !== undefined) throw new Failure(failure.code, `${failure.message}; ${absence}`)
  tell(`${terminalText(name)} is read from the Docker Engine: its registry ${absenceFrom(failure)}`)
  return mapImages(request, async (each) => (each === name ? `docker-daemon:${each}` : each))
}

/** One image of several, which do not fail together: its name in the engine, as {@link fromEngine} finds it. */
export async function nameInEngine(
  image: string,
  failure: unknown,
  { source, ...teller }: Teller & { readonly source: Source | undefined },
): Promise<string> {
  const request = { parameters: new Map([['image', [image]]]), settings: { source } }
  const { parameters } = await fromEngine(request, failure, teller)
  return parameters.get('image')?.[0] ?? image
}

/** Whether {@link fromEngine} would find the image that a failure is about. */
export async function isInEngine(request: Named, failure: unknown, asker: Asker): Promise<boolean> {
  const name = missingImage(request, failure)
  return name !== undefined && (await absenceOf(name, asker)) === undefined
}

/** What a failure says about the registry; undefined if it may have the image. */
function absenceFrom({ code, message }: Failure): string | undefined {
  switch (code) {
    case 'image_not_found':
      return 'does not have it'
    case 'unauthorized':
      return 'does not show it'
    case 'registry_error':
      return message.includes('could not connect to') ? 'cannot be reached' : undefined
    default:
      return undefined
  }
}

/** The name, as it was typed, of the image that a failure is about. */
function missingImage({ parameters, settings }: Named, failure: unknown): string | undefined {
  if (!(failure instanceof Failure) || absenceFrom(failure) === undefined) return undefined
  if (settings.source !== undefined) return undefined
  return IMAGES.flatMap((parameter) => parameters.get(parameter) ?? []).find(
    (name) => !TRANSPORT.test(name) && (name === failure.image || wholeName(name) === failure.image),
  )
}

function wholeName(name: string): string | undefined {
  try {
    return formatImageReference(parseImageReference(name))
  } catch {
    return undefined
  }
}

/** Why the engine cannot give the image; undefined if it can. */
async function absenceOf(name: string, { env, signal }: Asker): Promise<string | undefined> {
  const { openEngine } = await import('./engine-images.ts')
  let place = ''
  try {
    const address = await findEngine(env)
    place = address.host
    const reference = parseImageReference(`docker-daemon:${name}`)
    if (reference.transport !== 'docker-daemon') return undefined
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ENGINE_MILLISECONDS)])
    await openEngine(address).inspect(reference.name, limit)
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Failure) return error.message
    const isAbsent = error instanceof Problem && error.code === 'image_not_found'
    return isAbsent ? 'the Docker Engine does not have it either' : `no Docker Engine answers at ${place}`
  }
}

async function mapImages<Asked extends Named>(
  request: Asked,
  map: (name: string) => Promise<string>,
): Promise<Asked> {
  const parameters = new Map(request.parameters)
  for (const parameter of IMAGES) {
    const names = parameters.get(parameter)
    if (names === undefined) continue
    const isName = (name: string) => parameter !== 'baseImage' || name !== AUTO_BASE
    parameters.set(parameter, await Promise.all(names.map((name) => (isName(name) ? map(name) : name))))
  }
  return { ...request, parameters }
}
