/** `/v1/waste` and `/v1/duplicates`. */
import { z } from '@hono/zod-openapi'
import { bytes, count, layerIndex, pageOf, path, pathBase64, sha256 } from '../openapi/fields.ts'
import { wasteReasonSchema } from './report.schema.ts'

export const wastedFileSchema = z
  .strictObject({
    path: path('Its path', 'var/lib/apt/lists/deb.debian.org_debian_dists_trixie_main_binary-amd64_Packages'),
    pathBase64,
    bytes: bytes('Its size', 56634892),
    layer: layerIndex('Layer that stores it', 1),
    reason: wasteReasonSchema,
    byLayer: layerIndex('Layer that hides it', 5),
  })
  .openapi('WastedFile', {
    description: 'A stored file that the merged file system does not show.',
  })

export const wastePageSchema = pageOf('WastePage', wastedFileSchema, 'The largest first.')

export const duplicateGroupSchema = z
  .strictObject({
    sha256: sha256('SHA-256 of their content'),
    bytes: bytes('Size of one copy', 277528),
    count: count('Number of copies', 3),
    wastedBytes: bytes('Bytes that keeping one copy would save', 555056),
    paths: z
      .array(z.strictObject({ path: path('Its path', 'usr/share/doc/openssl/changelog.gz'), pathBase64 }))
      .openapi({ description: 'The first 50 paths in path order.' }),
  })
  .openapi('DuplicateGroup', { description: 'Files with the same content.' })

export const duplicatePageSchema = pageOf('DuplicatePage', duplicateGroupSchema, 'The largest waste first.')
