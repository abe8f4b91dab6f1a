/** A tar as an archive inside an image: its members in order, and the content of one. */
import { createHash } from 'node:crypto'
import { WorkBudget } from '../concurrency.ts'
import { Problem } from '../problem.ts'
import type { Member } from '../tar/member.ts'
import { type ScanLimits, TarScanner } from '../tar/scan.ts'
import { type ArchiveEntry, type ArchiveWarning, type EntryType, NameWarnings } from './entries.ts'
import { damaged } from './ranges.ts'

export type TarEntry = ArchiveEntry & {
  /** Of the content, in the tar. */
  readonly offset: number
  readonly ordinal: number
  readonly isSparse: boolean
}

/** @throws Problem `invalid_archive`, `too_large` with the place in the tar */
export async function readTarEntries(
  chunks: AsyncIterable<Uint8Array>,
  limits: ScanLimits,
): Promise<{ readonly entries: readonly TarEntry[]; readonly warnings: readonly ArchiveWarning[] }> {
  const entries: TarEntry[] = []
  const warnings = new NameWarnings()
  let hash = createHash('sha256')
  const scanner = new TarScanner(limits)
  for await (const event of eventsOf(scanner, chunks)) {
    if (event === 'member') {
      warnings.see(scanner.path)
      hash = createHash('sha256')
    } else if (event === 'content') hash.update(scanner.content)
    else if (scanner.member.key !== '') entries.push(entryOf(scanner, hash.digest('base64')))
  }
  return { entries, warnings: warnings.found() }
}

/** The content of the member of this number. */
export async function* tarContent(
  chunks: AsyncIterable<Uint8Array>,
  limits: ScanLimits,
  ordinal: number,
): AsyncGenerator<Uint8Array> {
  const scanner = new TarScanner(limits)
  for await (const event of eventsOf(scanner, chunks)) {
    if (scanner.member.ordinal !== ordinal) continue
    if (event === 'content') yield scanner.content
    if (event === 'end') return
  }
}

async function* eventsOf(
  scanner: TarScanner,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<'member' | 'content' | 'end'> {
  const work = new WorkBudget()
  try {
    for await (const chunk of chunks) {
      if (work.isDue(chunk.length)) await work.yield()
      scanner.feed(chunk)
      for (let event = scanner.next(); event !== 'hungry'; event = scanner.next()) yield event
    }
    scanner.finish()
  } catch (error) {
    throw asArchive(error)
  }
}

/** What is wrong with a layer is here wrong with an archive. */
export function asArchive(error: unknown): unknown {
  return error instanceof Problem && error.code === 'invalid_image' ? damaged(error.message) : error
}

const TYPES: Partial<Record<Member['type'], EntryType>> = {
  file: 'file',
  directory: 'directory',
  symlink: 'symlink',
  hardlink: 'hardlink',
}

function entryOf({ member, isSparse }: TarScanner, sum: string): TarEntry {
  const { key, type, bytes, mtime, link, offset, ordinal } = member
  return {
    key,
    type: TYPES[type] ?? 'other',
    bytes,
    mtime,
    ...(link === undefined ? {} : { link }),
    ...(type === 'file' ? { sum } : {}),
    offset,
    ordinal,
    isSparse,
  }
}
