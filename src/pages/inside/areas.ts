/** What a file is made of as areas of a treemap. */
import type { Area } from '../../image/areas.ts'
import { KINDS, kindOf, mayOpen } from '../../image/kinds.ts'
import { ELF_AREAS } from '../../inside/elf-areas.ts'
import type { InsideNode } from '../../service/inside/inside-tree.ts'
import type { PathKey } from '../../text/path.ts'

/** Levels that are drawn at once. */
const DEPTH = 6

/** @param file the path of the file that the node is in */
export function areaOf(node: InsideNode, file: PathKey, depth = DEPTH): Area {
  const { key, type, bytes, parts } = node
  const isDirectory = type === 'directory' && key !== ''
  const main = classOf(node)
  const opens = !isDirectory && key !== '' && (node.children.length > 0 || isOpened(node))
  const drawn = depth === 0 ? [] : node.children.filter((child) => child.bytes > 0)
  return {
    key: keyInside(file, key),
    isDirectory,
    bytes,
    files: parts,
    ...(main === undefined ? {} : { main }),
    ...(opens ? { opens } : {}),
    ...(drawn.length === 0 ? {} : { children: drawn.map((child) => areaOf(child, file, depth - 1)) }),
  }
}

function isOpened({ type, key, bytes }: InsideNode): boolean {
  return type === 'file' && mayOpen({ key, mode: 0, bytes })
}

/** The path that leads into the file. */
export function keyInside(file: PathKey, key: PathKey): PathKey {
  return key === '' ? file : `${file}!\0${key}`
}

/** The kind of file that has most of its bytes, or what they are for in a program. */
function classOf({ key, type, area, children }: InsideNode): number | undefined {
  if (area !== undefined) return ELF_AREAS.indexOf(area)
  const [largest] = children
  if (largest !== undefined) return classOf(largest)
  return type === 'file' ? KINDS.indexOf(kindOf({ key, mode: 0 })) : undefined
}
