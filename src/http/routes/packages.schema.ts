import { z } from '@hono/zod-openapi'
import { bytes, layerIndex, pageOf, path, text } from '../openapi/fields.ts'

export const packageTypeSchema = z.enum(['deb', 'apk', 'rpm', 'npm', 'pypi']).openapi({
  description: 'The kind of package, as package URLs name it.',
  example: 'deb',
})

export const packageSchema = z
  .strictObject({
    type: packageTypeSchema,
    name: text('Its name', 'curl'),
    version: text('Its version', '8.14.1-2+deb13u2'),
    architecture: text('The architecture that it was built for', 'amd64').optional(),
    purl: text('Its package URL', 'pkg:deb/debian/curl@8.14.1-2+deb13u2?arch=amd64'),
    bytes: bytes("What the package's own files take in the merged file system", 518144).optional(),
    path: path(
      'The file that declares it, for npm and pypi',
      'srv/app/node_modules/express/package.json',
    ).optional(),
    layer: layerIndex('The layer that brought it', 1),
  })
  .openapi('Package', { description: 'A package that is installed in an image.' })

export const packagePageSchema = pageOf('PackagePage', packageSchema, 'By type, then by name.')
