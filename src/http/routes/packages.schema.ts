/** A package in lists, with its package URL and the layer that added it. */
import { z } from '@hono/zod-openapi'
import { PACKAGE_TYPES } from '../../image/report.ts'
import { int, pageOf, text } from '../openapi/fields.ts'

export const packageTypeSchema = z.enum(PACKAGE_TYPES).openapi('PackageType', {
  description: 'As in package URLs.',
})

export const packageSchema = z
  .strictObject({
    type: packageTypeSchema,
    name: text(),
    version: text().optional(),
    architecture: text().optional(),
    purl: text(),
    license: text('As its database states it; dpkg has none').optional(),
    bytes: int('Its own files in the merged file system').optional(),
    path: text('The file that it was found in; not for deb, apk and rpm').optional(),
    layer: int('The layer that added it'),
  })
  .openapi('Package')

export const packagePageSchema = pageOf('PackagePage', packageSchema)
