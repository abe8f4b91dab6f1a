/** Writes a file of an image, or a folder with all below it, to a path that does not exist yet. */
import { randomBytes } from 'node:crypto'
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Failure, systemReason } from '../failure.ts'
import { extractTar } from '../unpack.ts'

type Fetch = () => Promise<Response>

/** All or nothing. @returns how many bytes it has */
export async function extractFile(name: string, fetch: Fetch): Promise<number> {
  const target = await freePath(name)
  const response = await fetch()
  // `wx` follows no link, not even a dangling one.
  const file = await open(target, 'wx').catch((error) => refuse(name, error))
  let bytes = 0
  try {
    for await (const chunk of response.body ?? []) {
      await file.writeFile(chunk)
      bytes += chunk.length
    }
    await file.close()
    return bytes
  } catch (error) {
    await file.close().catch(() => {})
    await rm(target, { force: true })
    throw error instanceof Failure ? error : refuse(name, error)
  }
}

/**
 * All or nothing: unpacked beside its destination and renamed.
 *
 * @param depth how many folders the tar has above what is wanted
 */
export async function extractFolder(
  name: string,
  { depth, signal, fetch }: { readonly depth: number; readonly signal: AbortSignal; readonly fetch: Fetch },
): Promise<void> {
  const target = await freePath(name)
  const response = await fetch()
  const temporary = join(dirname(target), `.lamina.${randomBytes(6).toString('hex')}`)
  await mkdir(temporary, { mode: 0o700 }).catch((error) => refuse(name, error))
  try {
    await extractTar(response, temporary, {
      signal,
      options: ['--no-same-owner', `--strip-components=${depth}`],
    })
    await freePath(name)
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error instanceof Failure || signal.aborted ? error : refuse(name, error)
  }
}

/** @throws Failure if something is there, be it a dangling link, or the folder above is not */
async function freePath(name: string): Promise<string> {
  if (name === '' || /[/\\]$/.test(name) || ['.', '..'].includes(basename(name)))
    throw new Failure('output_error', `cannot write ${JSON.stringify(name)}: not a name`)
  const target = resolve(name)
  const found = await lstat(target).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? undefined : refuse(name, error),
  )
  if (found !== undefined) throw new Failure('output_error', `${name} already exists; nothing is written`)
  const above = await lstat(dirname(target)).catch((error) => refuse(name, error))
  if (!above.isDirectory() && !above.isSymbolicLink()) refuse(name, new Error('its folder does not exist'))
  return target
}

function refuse(name: string, error: unknown): never {
  throw new Failure('output_error', `cannot write ${name}: ${systemReason(error)}`)
}
