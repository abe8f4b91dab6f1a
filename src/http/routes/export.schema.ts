/** Documents that other specifications define, which have their schemas. */
import { z } from '@hono/zod-openapi'

export const runtimeConfigSchema = z.looseObject({}).openapi('RuntimeConfig', {
  description: 'A `config.json` as the OCI runtime specification defines it.',
})

export const sbomSchema = z.looseObject({}).openapi('Sbom', {
  description: 'A CycloneDX 1.6 or SPDX 2.3 document in JSON.',
})
