/**
 * `ObjectStore` on a folder. An object is written under a unique name in `.incoming`, flushed to disk and renamed: another
 * process, or this one after a power cut, sees all of it or nothing.
 */
import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ByteRange, ObjectStore, StoredObject } from '../../../src/host.ts'
import { Problem } from '../../../src/problem.ts'
import { boundsOf } from '../../../src/table/byte-range.ts'
import { readRange } from './file-range.ts'

/** What is stored may be private: other users of the machine must not read it, whatever the umask. */
const FOLDER_MODE = 0o700
const FILE_MODE = 0o600

const INCOMING = '.incoming'
/** Where the index keeps temporary objects; buckets have lifecycle rules for these. */
const TEMPORARY = 'temporary'
/** No write takes this long: older files were left by a process that died. */
const LEFTOVER_MILLISECONDS = 24 * 3_600_000
/** Limit on a file's name, on all common file systems. */
const MAX_PART_BYTES = 255
/** How often a folder is created again after another process found it empty and removed it. */
const ATTEMPTS = 5

export class FolderStore implements ObjectStore {
  readonly #folder: string
  readonly #cleaned: Promise<void>

  /** @param folder created when the first object is put; leftovers in it are removed at once */
  constructor(folder: string) {
    this.#folder = folder
    const before = Date.now() - LEFTOVER_MILLISECONDS
    this.#cleaned = clean(folder, before).catch(() => {})
  }

  async get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    const opened = await this.#open(key)
    if (opened === undefined) return undefined
    const { file, size } = opened
    try {
      return { size, body: await readRange(file, within(size, range), unavailable) }
    } catch (error) {
      throw unavailable(error)
    }
  }

  async has(key: string): Promise<boolean> {
    const path = this.#path(key)
    try {
      return (await stat(path)).isFile()
    } catch (error) {
      await this.#requireMissing(error)
      return false
    }
  }

  async put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    const target = this.#path(key)
    const incoming = join(this.#folder, INCOMING, randomUUID())
    try {
      await mkdir(dirname(incoming), { recursive: true, mode: FOLDER_MODE }).catch(rethrow)
      const lasts = key.startsWith(`${TEMPORARY}/`) ? 'process' : 'disk'
      await write(incoming, body instanceof Uint8Array ? [body] : body, lasts)
      await place(incoming, target, lasts)
    } catch (error) {
      // What cannot be removed now is removed later as a leftover: the first failure is the one to report.
      await rm(incoming, { force: true }).catch(() => undefined)
      if (body instanceof ReadableStream && !body.locked) await body.cancel(error)
      throw error
    }
  }

  async delete(key: string): Promise<void> {
    const target = this.#path(key)
    try {
      await rm(target, { force: true })
    } catch (error) {
      if (!isMissing(error)) throw unavailable(error)
    }
    await removeEmpty(dirname(target), this.#folder)
  }

  async *list(prefix: string): AsyncGenerator<string> {
    const cut = prefix.lastIndexOf('/') + 1
    if (
      prefix
        .slice(0, cut)
        .split('/')
        .slice(0, -1)
        .some((part) => !isPart(part))
    )
      return
    yield* this.#walk(prefix.slice(0, cut), prefix)
  }

  /** Resolves when leftovers of earlier processes are removed. */
  async cleaned(): Promise<void> {
    await this.#cleaned
  }

  async *#walk(folder: string, prefix: string): AsyncGenerator<string> {
    for (const name of await namesIn(join(this.#folder, folder))) {
      const key = folder + name
      // Either nothing in a folder can begin with the prefix, or everything does, or only what is further down.
      if (key.startsWith(INCOMING) || !(key.startsWith(prefix) || prefix.startsWith(key))) continue
      if (name.endsWith('/')) yield* this.#walk(key, prefix)
      else yield key
    }
  }

  async #open(key: string): Promise<{ readonly file: FileHandle; readonly size: number } | undefined> {
    const path = this.#path(key)
    try {
      const file = await open(path, 'r')
      const stats = await file.stat()
      if (stats.isFile()) return { file, size: stats.size }
      await file.close()
      return undefined
    } catch (error) {
      await this.#requireMissing(error)
      return undefined
    }
  }

  /** @throws Problem if objects cannot exist at all, rather than one being missing: the folder is not a folder */
  async #requireMissing(error: unknown): Promise<void> {
    if (!isMissing(error)) throw unavailable(error)
    if (error.code === 'ENOENT') return
    const folder = await stat(this.#folder).catch(() => undefined)
    if (folder?.isDirectory() !== true) throw unavailable(error)
  }

  /** This service makes the keys, but from names given by others: none may lead out of the folder. */
  #path(key: string): string {
    const parts = key.split('/')
    if (parts[0] === INCOMING || !parts.every(isPart)) throw new Error(`invalid object key: ${key}`)
    return join(this.#folder, ...parts)
  }
}

function isPart(part: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (part === '' || part === '.' || part === '..' || /[\0-\x1f\\\x7f]/.test(part)) return false
  return Buffer.byteLength(part) <= MAX_PART_BYTES
}

function within(size: number, range: ByteRange | undefined): { offset: number; length: number } {
  if (range === undefined) return { offset: 0, length: size }
  const { start, end } = boundsOf(range, size)
  return { offset: start, length: end - start }
}

/** How long an object must last: one that is temporary is of no use after a power cut, and not flushed. */
type Lasts = 'process' | 'disk'

/** A failure of the source is the caller's; a failure of the disk is the store's. */
async function write(
  path: string,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  lasts: Lasts,
): Promise<void> {
  const file = await open(path, 'wx', FILE_MODE).catch(rethrow)
  try {
    for await (const chunk of source) await file.writeFile(chunk).catch(rethrow)
    if (lasts === 'disk') await file.sync().catch(rethrow)
  } finally {
    await file.close()
  }
}

/** Renames, and flushes the names to disk. */
async function place(incoming: string, target: string, lasts: Lasts): Promise<void> {
  const folder = dirname(target)
  for (let attempt = 1; ; attempt++) {
    try {
      await mkdir(folder, { recursive: true, mode: FOLDER_MODE })
      await rename(incoming, target)
      break
    } catch (error) {
      if (!isMissing(error) || attempt === ATTEMPTS) throw unavailable(error)
    }
  }
  if (lasts === 'process') return
  const handle = await open(folder, 'r').catch(rethrow)
  try {
    await handle.sync().catch(rethrow)
  } finally {
    await handle.close()
  }
}

/** Empty folders, from `folder` up to but not including `root`. */
async function removeEmpty(folder: string, root: string): Promise<void> {
  for (let at = folder; at.length > root.length && at.startsWith(root); at = dirname(at)) {
    try {
      await rmdir(at)
    } catch {
      return
    }
  }
}

/** In byte order of the keys that begin with them: a folder's name ends in `/`. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  } catch (error) {
    if (isMissing(error)) return []
    throw unavailable(error)
  }
}

async function clean(folder: string, before: number): Promise<void> {
  for (const top of [INCOMING, TEMPORARY]) {
    const root = join(folder, top)
    for (const name of await readdir(root, { recursive: true }).catch((): string[] => [])) {
      const path = join(root, name)
      const found = await stat(path).catch(() => undefined)
      if (found === undefined || !found.isFile() || found.mtimeMs >= before) continue
      await rm(path, { force: true })
      await removeEmpty(dirname(path), root)
    }
  }
}

function isMissing(error: unknown): error is Error & { readonly code: 'ENOENT' | 'ENOTDIR' } {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

function rethrow(error: unknown): never {
  throw unavailable(error)
}

function unavailable(error: unknown): Problem {
  if (error instanceof Problem) return error
  const reason = error instanceof Error && 'code' in error ? String(error.code) : 'error'
  return new Problem('store_error', `the object store cannot be read or written (${reason})`, {
    retryAfter: 5,
  })
}
