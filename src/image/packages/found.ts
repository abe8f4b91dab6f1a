import type { PathKey } from '../../text/path.ts'
import type { PackageType } from '../report.ts'

/** A package as its database tells it. */
export type FoundPackage = {
  readonly type: PackageType
  readonly name: string
  /** As the format writes it: an rpm's is `[epoch:]version-release`. */
  readonly version: string
  readonly architecture?: string
  /** What it owns, where the database says so itself; directories may be among them. */
  readonly files?: Iterable<PathKey>
}
