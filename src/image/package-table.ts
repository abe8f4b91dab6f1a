/** `packages.parquet`: what is installed in an image. */

import { choice, int32, int64, optional, string } from '../table/column.ts'
import { defineSchema } from '../table/schema.ts'
import { PACKAGE_TYPES, type Package } from './report.ts'

/** By type, then by name, version, architecture and path. */
export const PACKAGES = defineSchema<Package>({
  type: choice('type', PACKAGE_TYPES),
  name: string('name'),
  version: optional(string('version')),
  architecture: optional(string('architecture')),
  purl: string('purl'),
  license: optional(string('license')),
  bytes: optional(int64('bytes')),
  path: optional(string('path')),
  layer: int32('layer'),
})
