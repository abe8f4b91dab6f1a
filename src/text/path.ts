/**
 * Text as people and systems write it: names as bytes and as text, globs, sizes and times. This file has the order of all
 * tables: paths compared byte by byte with `/` as the lowest byte, so that everything below a directory follows it directly. A
 * `PathKey` is a path's bytes with each `/` replaced by NUL, so that plain `<` is this order.
 */
import { type ByteString, decodeText, toBase64 } from './bytes.ts'

/** Parts joined by NUL, without a leading one; the root is the empty string. No part is empty, `.` or `..`. */
export type PathKey = ByteString

export function keyToPath(key: PathKey): ByteString {
  return key.includes('\0') ? key.replaceAll('\0', '/') : key
}

export function pathToKey(path: ByteString): PathKey {
  return path.includes('/') ? path.replaceAll('/', '\0') : path
}

/** The directory that holds `key`; the root's is the root. */
export function parentKey(key: PathKey): PathKey {
  const cut = key.lastIndexOf('\0')
  return cut < 0 ? '' : key.slice(0, cut)
}

export function baseName(key: PathKey): ByteString {
  return key.slice(key.lastIndexOf('\0') + 1)
}

/** Whether `key` is `directory` itself or below it. */
export function isWithin(key: PathKey, directory: PathKey): boolean {
  return (
    directory === '' ||
    (key.startsWith(directory) && (key.length === directory.length || key.charCodeAt(directory.length) === 0))
  )
}

/** A path as the API shows it, with `pathBase64` only if the bytes are not UTF-8. */
export function showPath(key: PathKey): { path: string; pathBase64?: string } {
  const path = keyToPath(key)
  const { text, exact } = decodeText(path)
  return exact ? { path: text } : { path: text, pathBase64: toBase64(path) }
}
