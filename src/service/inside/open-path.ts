/** What a page's path leads to: a file, or a directory of an archive or an area of a program inside it. */
import { mayOpen } from '../../image/kinds.ts'
import { isElf } from '../../inside/elf-header.ts'
import { compressionOf } from '../../oci/compression.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { AR, type Inside, isTar } from '../../open/open-inside.ts'
import type { Service } from '../../open/service.ts'
import { Problem } from '../../problem.ts'
import type { PathKey } from '../../text/path.ts'
import { type InsideNode, insideTree } from './inside-tree.ts'
import { nameUpTo, type PathQuestion, type ResolvedFile, resolvePath, stepsIn } from './resolve.ts'

/** A file that can be opened, at one of its directories or areas. */
export type OpenedFile = {
  readonly file: ResolvedFile
  /** Of the file. */
  readonly key: PathKey
  readonly inside: Inside
  readonly tree: InsideNode
}

/** @throws Problem as {@link resolvePath}, and what is wrong with the file */
export async function openPathInside(
  service: Service,
  image: OpenedImage,
  question: PathQuestion,
): Promise<OpenedFile> {
  const { key } = question
  let missing: unknown
  for (const [path, below] of waysInto(key)) {
    try {
      const file = await resolvePath(service, image, { ...question, key: path })
      const inside = await file.inside()
      const tree = await insideTree(inside, below)
      if (tree !== undefined) return { file, key: path, inside, tree }
    } catch (error) {
      if (!isElsewhere(error)) throw error
      missing ??= error
    }
  }
  throw missing
}

/** The path as a file, then as a directory of each archive on the way, the innermost first. */
function waysInto(key: PathKey): readonly (readonly [file: PathKey, below: PathKey])[] {
  const parts = key.split('\0')
  const steps = stepsIn(parts).toReversed()
  // Each step on the way has a link, and that of an archive ends in `!`.
  const isStep = key.endsWith('!') && (parts.at(-1) ?? '').length > 1
  return [
    [key, ''],
    ...(isStep ? [[key.slice(0, -1), ''] as const] : []),
    ...steps.map((end) => [nameUpTo(parts, end), parts.slice(end + 1).join('\0')] as const),
  ]
}

function isElsewhere(error: unknown): boolean {
  return error instanceof Problem && (error.code === 'path_not_found' || error.code === 'unknown_format')
}

/** Whether a path may lead into a file. */
export function leadsInto(key: PathKey): boolean {
  return waysInto(key).length > 1
}

/** More of a file is not read without being asked. */
const MAX_READ_BYTES = 64 * 1024 * 1024

/**
 * How a file can be opened, by its beginning: a tar or ar has to be read to its end.
 *
 * @returns undefined if it cannot be opened
 */
export function openingOf(key: PathKey, head: Uint8Array, bytes: number): 'at once' | 'asked' | undefined {
  const first = Buffer.from(head.subarray(0, 8)).toString('latin1')
  if (isElf(head) || first.startsWith('PK')) return 'at once'
  if (isTar(head) || first === AR || compressionOf(head.subarray(0, 4)) !== 'none')
    return bytes > MAX_READ_BYTES ? 'asked' : 'at once'
  // A zip may follow anything.
  return mayOpen({ key, mode: 0, bytes }) ? 'at once' : undefined
}
