/**
 * Images in files of this machine: archives, read in place, and OCI layouts in folders. A compressed archive or one on stdin is
 * first decompressed into a temporary file. The thread that opens a file first writes its description into the temporary
 * folder; the others use that description.
 */
import { createHash, randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { z } from 'zod'
import type { FileRef } from '../../src/oci/source-ref.ts'
import { Archive } from '../../src/source/archive/archive.ts'
import { archiveIndexSchema } from '../../src/source/archive/archive-index.ts'
import { ArchiveSource } from '../../src/source/archive/archive-source.ts'
import type { LocalImages } from '../../src/source/source.ts'
import { type OpenOptions, openArchive, partsSchema, readerOf, unwritable } from './local-archive.ts'

/** Passed to threads when they start. */
const NAME = 'folder of opened archives'

/** Allows `docker-archive:`, `oci-archive:` and `oci:` in this process, on all threads started from now on. */
export function allowLocalImages(): void {
  if (getEnvironmentData(NAME) !== undefined) return
  const folder = join(tmpdir(), `lamina-${randomUUID()}`)
  setEnvironmentData(NAME, folder)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
}

/** Undefined if they are not allowed. */
export function localImages(options: Omit<OpenOptions, 'unpacked'>): LocalImages | undefined {
  const folder = getEnvironmentData(NAME)
  if (typeof folder !== 'string') return undefined
  return { open: (ref) => new ArchiveSource(ref, () => openOnce(folder, ref, options)) }
}

/** By path: an archive on stdin can be read only once. */
const opened = new Map<string, Promise<Archive>>()

function openOnce(
  folder: string,
  { path }: FileRef,
  options: Omit<OpenOptions, 'unpacked'>,
): Promise<Archive> {
  const place = path === '-' ? path : resolve(path)
  const known = opened.get(place) ?? describedOrNew(folder, place, options)
  opened.set(place, known)
  return known
}

const describedSchema = z.object({ parts: partsSchema, index: archiveIndexSchema })

async function describedOrNew(
  folder: string,
  place: string,
  options: Omit<OpenOptions, 'unpacked'>,
): Promise<Archive> {
  const name = join(folder, createHash('sha256').update(place).digest('hex'))
  const text = await readFile(`${name}.json`, 'utf8').catch(() => undefined)
  if (text !== undefined) {
    const { parts, index } = describedSchema.parse(JSON.parse(text))
    return new Archive(index, readerOf(parts))
  }
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error) => {
    throw unwritable(folder, error)
  })
  const { parts, index } = await openArchive(place, { ...options, unpacked: `${name}.tar` })
  await writeFile(`${name}.json`, JSON.stringify({ parts, index })).catch((error) => {
    throw unwritable(folder, error)
  })
  return new Archive(index, readerOf(parts))
}
