/** A package in lists, with its package URL and the layer that added it. */
import { z } from '@hono/zod-openapi'
import { int, pageOf, text } from '../openapi/fields.ts'

export const packageTypeSchema = z
  .enum(['deb', 'apk', 'rpm', 'npm', 'pypi', 'composer', 'gem'])
  .openapi('PackageType', {
    description: 'As in package URLs.',
  })

export const packageSchema = z
  .strictObject({
    type: packageTypeSchema,
    name: text(),
    version: text(),
    architecture: text().optional(),
    purl: text(),
    license: text('As its database states it; dpkg has none').optional(),
    bytes: int('Its own files in the merged file system').optional(),
    path: text('Its metadata file; for npm, pypi, composer and gem').optional(),
    layer: int('The layer that added it'),
  })
  .openapi('Package')

export const packagePageSchema = pageOf('PackagePage', packageSchema)
