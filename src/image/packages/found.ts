/** The contents of a package database, in its order. */
import { type ByteString, decodeText, toByteString, toBytes } from '../../text/bytes.ts'
import type { PathKey } from '../../text/path.ts'
import type { PackageType } from '../report.ts'

/** A package in its database. */
export type FoundPackage = {
  readonly type: PackageType
  readonly name: string
  /** In the format's notation: for rpm `[epoch:]version-release`. */
  readonly version: string
  readonly architecture?: string
  /** As its author states it: an SPDX expression, or another text. */
  readonly license?: string
}

/** A package, or some of the files of the previous package (in a file list: of its owner), possibly including directories. */
export type Finding =
  | { readonly kind: 'package'; readonly found: FoundPackage }
  | { readonly kind: 'files'; readonly paths: readonly PathKey[] }

/** The content of a database, from the start. */
export type DatabaseContent = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** A database that is damaged, or larger than any real one: what was found in it before that counts. */
export class UnreadableDatabase extends Error {}

/** Limit on the bytes of a name, a version or an architecture: a hundred times what packages have. */
const MAX_NAME_BYTES = 1_024
/** Some packages have the whole text of their licence in that field. */
const MAX_LICENSE = 256

/** Without a licence that is empty, or too long to be stated rather than quoted. */
export function licenseOf(text: string | undefined): { readonly license?: string } {
  const stated = text?.replace(/\s+/g, ' ').trim()
  return stated && stated.length <= MAX_LICENSE ? { license: stated } : {}
}

/** @throws UnreadableDatabase if it is too long for a name */
export function nameText(bytes: ByteString): string {
  if (bytes.length > MAX_NAME_BYTES) throw new UnreadableDatabase(`a name of ${bytes.length} bytes`)
  // A copy, because a slice keeps the piece of the database that it is from in memory.
  return decodeText(toByteString(toBytes(bytes))).text
}
