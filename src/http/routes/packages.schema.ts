import { z } from '@hono/zod-openapi'
import { bytes, layerIndex, pageOf, path, text } from '../openapi/fields.ts'

export const packageTypeSchema = z
  .enum(['deb', 'apk', 'rpm', 'npm', 'pypi', 'composer', 'gem'])
  .openapi('PackageType', {
    description: 'Package type, as in package URLs.',
    example: 'deb',
  })

export const packageSchema = z
  .strictObject({
    type: packageTypeSchema,
    name: text('Its name', 'curl'),
    version: text('Its version', '8.14.1-2+deb13u2'),
    architecture: text('Its architecture', 'amd64').optional(),
    purl: text('Its package URL', 'pkg:deb/debian/curl@8.14.1-2+deb13u2?arch=amd64'),
    bytes: bytes('Size of its own files in the merged file system', 518144).optional(),
    path: path(
      'Its metadata file, for npm, pypi, composer and gem',
      'srv/app/node_modules/express/package.json',
    ).optional(),
    layer: layerIndex('Layer that added it', 1),
  })
  .openapi('Package', { description: 'An installed package.' })

export const packagePageSchema = pageOf('PackagePage', packageSchema, 'By type, then by name.')
