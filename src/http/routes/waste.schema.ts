/** `/v1/waste` and `/v1/duplicates`. */
import { z } from '@hono/zod-openapi'
import { bytes, count, layerIndex, pageOf, path, pathBase64, sha256 } from '../openapi/fields.ts'
import { wasteReasonSchema } from './report.schema.ts'

export const wastedFileSchema = z
  .strictObject({
    path: path(
      'Where it stood',
      'var/lib/apt/lists/deb.debian.org_debian_dists_trixie_main_binary-amd64_Packages',
    ),
    pathBase64,
    bytes: bytes('Its size', 56634892),
    layer: layerIndex('The layer that stores it', 1),
    reason: wasteReasonSchema,
    byLayer: layerIndex('The layer that hid it', 5),
  })
  .openapi('WastedFile', {
    description: 'A file that a layer stores and the merged file system does not show.',
  })

export const wastePageSchema = pageOf('WastePage', wastedFileSchema, 'The largest first.')

export const duplicateGroupSchema = z
  .strictObject({
    sha256: sha256('Their content', '2d6e67cad19c3da3bc3e6f3dfb37bb49d3e3896746395327d7f9cd468e1aec92'),
    bytes: bytes('Size of one of them', 277528),
    count: count('How many there are', 3),
    wastedBytes: bytes('What one copy of it would save', 555056),
    paths: z
      .array(
        z.strictObject({ path: path('Where one stands', 'usr/share/doc/openssl/changelog.gz'), pathBase64 }),
      )
      .openapi({ description: 'Where they stand: the first 50 in path order.' }),
  })
  .openapi('DuplicateGroup', { description: 'Files with the same content.' })

export const duplicatePageSchema = pageOf('DuplicatePage', duplicateGroupSchema, 'The largest waste first.')
