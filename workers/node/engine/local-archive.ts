/** Finds the images in a file, a folder or stdin, and reads their bytes. */
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { z } from 'zod'
import type { WasmModules } from '../../../src/host.ts'
import { BlobReader } from '../../../src/layer/blob.ts'
import { decode } from '../../../src/layer/decode/decode.ts'
import { Sha256 } from '../../../src/layer/sha256.ts'
import { compressionOf } from '../../../src/oci/compression.ts'
import { Problem } from '../../../src/problem.ts'
import type { ArchiveIndex } from '../../../src/source/archive/archive-index.ts'
import { asArchiveFault, invalidArchive } from '../../../src/source/archive/fault.ts'
import { readLayout } from '../../../src/source/archive/layout.ts'
import { findMembers, Members, PassingArchive } from '../../../src/source/archive/members.ts'
import type { RangeReader } from '../../../src/source/archive/range-reader.ts'
import { contentPadding, END_OF_ARCHIVE, memberHeader } from '../../../src/tar/write.ts'
import { encodeText, toBytes } from '../../../src/text/bytes.ts'
import { cleanPath } from '../../../src/text/clean-path.ts'
import { readRange } from '../store/file-range.ts'
import { webStream } from '../web-stream.ts'

export const partsSchema = z.array(z.object({ path: z.string(), size: z.int().nonnegative() }))

/** Files that are read as one: an archive is one part, a layout has one for each of its files. */
export type Parts = z.output<typeof partsSchema>

export type OpenedArchive = { readonly parts: Parts; readonly index: ArchiveIndex }

export type OpenOptions = {
  readonly wasm: WasmModules
  /** Largest window of a zstd frame, in bytes. */
  readonly zstdWindow: number
  /** Limit on an archive that must be decompressed. */
  readonly maxBytes: number
  /** File for an archive that cannot be read in place. */
  readonly unpacked: string
}

const STDIN = '-'

/**
 * @param place a file, a folder with an OCI layout, or `-` for stdin
 * @throws Problem `image_not_found` if it cannot be read, `invalid_archive`, `too_large`
 */
export async function openArchive(place: string, options: OpenOptions): Promise<OpenedArchive> {
  if (place === STDIN) return unpack(process.stdin, options)
  const stats = await stat(place).catch((error) => {
    throw unreadable(place, error)
  })
  if (stats.isDirectory()) return openLayout(place)
  if (!stats.isFile() || (await isPacked(place))) return unpack(createReadStream(place), options)
  const parts = [{ path: place, size: stats.size }]
  const reader = readerOf(parts)
  return { parts, index: await readLayout(await findMembers(reader), reader) }
}

async function isPacked(path: string): Promise<boolean> {
  const file = await opened(path)
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(4), 0, 4, 0)
    return compressionOf(buffer.subarray(0, bytesRead)) !== 'none'
  } finally {
    await file.close()
  }
}

/** Writes the archive into the temporary file as it arrives, so that its members can be read by offset. */
async function unpack(stream: Readable, options: OpenOptions): Promise<OpenedArchive> {
  const { wasm, zstdWindow, maxBytes, unpacked } = options
  const given = new BlobReader(webStream(stream))
  const passing = new PassingArchive(new Sha256(await wasm('sha256')), {
    bytes: maxBytes,
    setting: 'LAMINA_MAX_UPLOAD_BYTES',
  })
  const file = await opened(unpacked, 'wx')
  let size = 0
  try {
    const { chunks } = await decode(given, { wasm, zstdWindow })
    for await (const chunk of chunks) {
      size += chunk.length
      await passing.take(chunk)
      await file.writeFile(chunk).catch((error) => {
        throw unwritable(unpacked, error)
      })
    }
  } catch (error) {
    throw error instanceof Problem
      ? asArchiveFault(error)
      : invalidArchive(`it cannot be read: ${reasonOf(error)}`)
  } finally {
    await given.cancel()
    await file.close()
  }
  const parts = [{ path: unpacked, size }]
  return { parts, index: await readLayout(passing.finish(), readerOf(parts)) }
}

/** An OCI layout in a folder. */
async function openLayout(folder: string): Promise<OpenedArchive> {
  const parts: Parts = []
  const members = new Members()
  let offset = 0
  for (const { name, path, size } of await layoutFiles(folder)) {
    parts.push({ path, size })
    members.add(cleanPath(toBytes(encodeText(name))).key, { offset, size })
    offset += size
  }
  return { parts, index: await readLayout(members, readerOf(parts)) }
}

type LayoutFile = { readonly name: string; readonly path: string; readonly size: number }

/** Only regular files inside the layout, whatever links point outside. */
async function layoutFiles(folder: string): Promise<readonly LayoutFile[]> {
  const names = ['oci-layout', 'index.json']
  for (const algorithm of await namesIn(join(folder, 'blobs')))
    for (const name of await namesIn(join(folder, 'blobs', algorithm)))
      names.push(`blobs/${algorithm}/${name}`)
  const files: LayoutFile[] = []
  for (const name of names) {
    const path = join(folder, name)
    const stats = await stat(path).catch(() => undefined)
    if (stats?.isFile()) files.push({ name, path, size: stats.size })
  }
  return files
}

/** An OCI layout in a folder, read like an `oci-archive:` of it. */
export async function layoutAsTar(folder: string): Promise<ReadableStream<Uint8Array>> {
  const files = await layoutFiles(folder)
  const members = async function* () {
    for (const { name, path, size } of files) {
      yield memberHeader({
        path: encodeText(name),
        type: 'file',
        bytes: size,
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: 0,
      })
      if (size > 0)
        yield* await readRange(await opened(path), { offset: 0, length: size }, (error) =>
          unreadable(path, error),
        )
      yield contentPadding(size)
    }
    yield END_OF_ARCHIVE
  }
  return webStream(Readable.from(members(), { objectMode: true }))
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch(() => [])
}

/** Ranges never span two parts: each is within one member. */
export function readerOf(parts: Parts): RangeReader {
  const ends: number[] = []
  for (const { size } of parts) ends.push((ends.at(-1) ?? 0) + size)
  return {
    size: ends.at(-1) ?? 0,
    async read({ offset, length }) {
      const at = ends.findIndex((end) => offset < end)
      const part = parts[at]
      if (part === undefined || length === 0) return new Blob([]).stream()
      const start = offset - ((ends[at] ?? 0) - part.size)
      const file = await opened(part.path)
      const range = { offset: start, length: Math.min(length, part.size - start) }
      const fault = (error: unknown) => unreadable(part.path, error)
      return readRange(file, range, fault).catch((error) => {
        throw fault(error)
      })
    },
  }
}

function opened(path: string, flags = 'r'): Promise<FileHandle> {
  return open(path, flags, 0o600).catch((error) => {
    throw flags === 'r' ? unreadable(path, error) : unwritable(path, error)
  })
}

export function unreadable(path: string, error: unknown): Problem {
  return new Problem('image_not_found', `cannot read ${path}: ${reasonOf(error)}`)
}

export function unwritable(path: string, error: unknown): Problem {
  return new Problem('store_error', `cannot write ${path}: ${reasonOf(error)}`)
}

/** Node writes `ENOSPC: no space left on device, write`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const [, said] = /^E[A-Z0-9]+: ([^,]+)/.exec(error.message) ?? []
  return said ?? error.message
}
