/**
 * Images in files of this machine: archives, read in place, and OCI layouts in folders. A compressed archive or one on stdin is
 * first decompressed into a temporary file. The thread that opens a file first writes its description into the temporary
 * folder; the others use that description.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import type { FileRef } from '../../../src/oci/source-ref.ts'
import { Archive } from '../../../src/source/archive/archive.ts'
import { archiveIndexSchema } from '../../../src/source/archive/archive-index.ts'
import { ArchiveSource } from '../../../src/source/archive/archive-source.ts'
import type { LocalImages } from '../../../src/source/source.ts'
import { type OpenOptions, openArchive, partsSchema, readerOf, unwritable } from './local-archive.ts'
import { openedArchives } from './opened-archives.ts'

/** Undefined if they are not allowed. */
export function localImages(options: Omit<OpenOptions, 'unpacked'>): LocalImages | undefined {
  const folder = openedArchives()
  if (folder === undefined) return undefined
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
