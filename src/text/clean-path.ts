/** Makes keys of our tables from the names of members in archives. */
import type { PathKey } from './path.ts'

export type CleanPath = {
  readonly key: PathKey
  /** Whether it begins with a slash and has more than that: the root's own name is not absolute. */
  readonly absolute: boolean
  /** The number of `..` parts. */
  readonly dotdots: number
  readonly parts: number
}

const SLASH = 0x2f
const DOT = 0x2e

let scratch = Buffer.alloc(4096)

/** Drops empty and `.` parts, clamps `..` at the root, and joins the rest with NUL. `raw` holds no NUL. */
export function cleanPath(raw: Uint8Array): CleanPath {
  if (scratch.length < raw.length) scratch = Buffer.alloc(raw.length)
  const out = scratch
  let length = 0
  let dotdots = 0
  let parts = 0
  let start = 0
  let isSlashes = true
  while (start < raw.length) {
    let end = start
    while (end < raw.length && raw[end] !== SLASH) end++
    const size = end - start
    if (size > 0) isSlashes = false
    if (size === 2 && raw[start] === DOT && raw[start + 1] === DOT) {
      dotdots++
      if (parts > 0) parts--
      while (length > 0 && out[--length] !== 0);
    } else if (size > 1 || (size === 1 && raw[start] !== DOT)) {
      if (parts > 0) out[length++] = 0
      for (let i = start; i < end; i++) out[length++] = raw[i] ?? 0
      parts++
    }
    start = end + 1
  }
  return { key: out.toString('latin1', 0, length), absolute: raw[0] === SLASH && !isSlashes, dotdots, parts }
}
