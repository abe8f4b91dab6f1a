/** `/v1/base`: the shape of `base/base.ts`, described. */
import { z } from '@hono/zod-openapi'
import { EVIDENCE } from '../../oci/base-names.ts'
import { digestSchema, int, text, time } from '../openapi/fields.ts'
import { packageDiffSchema } from './diff.schema.ts'
import { problemSchema } from './problem.schema.ts'
import { identitySchema } from './report.schema.ts'
import { layerSum } from './update.schema.ts'

export const baseEvidenceSchema = z.enum(EVIDENCE).openapi('BaseEvidence', {
  description: '`known`: another image that this service analysed; `history`: a guess.',
})

const part = {
  layers: int(),
  compressedBytes: int("Of the image's own blobs"),
  uncompressedBytes: int().optional(),
  packages: int().optional(),
}

export const baseSchema = z
  .strictObject({
    image: identitySchema,
    base: z
      .strictObject({
        reference: text('As named, with the tag where there is one').optional(),
        digest: digestSchema.optional(),
        indexDigest: digestSchema.optional(),
        evidence: z.array(baseEvidenceSchema),
        ...part,
      })
      .optional(),
    own: z
      .strictObject({ ...part, packages: int('Those that the base lacks').optional() })
      .openapi({ description: 'What stands on the base; without one the whole image.' }),
    update: z
      .strictObject({
        reference: text(),
        state: z.enum(['current', 'behind', 'unknown']),
        digest: digestSchema.optional(),
        created: time().optional(),
        pull: layerSum.optional(),
        sizeDelta: z.int().optional(),
        packages: packageDiffSchema.optional(),
        problem: problemSchema.optional(),
      })
      .optional()
      .openapi({ description: "What the base's tag names now." }),
    alternatives: z
      .array(
        z.strictObject({
          reference: text(),
          digest: digestSchema,
          compressedBytes: int(),
          delta: z.int(),
          packages: int().optional(),
          missing: z.array(text()).optional().openapi({
            description: "Packages that the image has in the base's version and this one lacks.",
          }),
        }),
      )
      .optional()
      .openapi({ description: 'Other variants of its version, smallest first.' }),
    warnings: z.array(
      z.strictObject({
        code: z.enum(['baseDoesNotMatch', 'baseUnreadable', 'alternativesIncomplete']),
        evidence: baseEvidenceSchema.optional(),
        reference: text('As named, at most 256 characters').optional(),
        problem: problemSchema.optional(),
      }),
    ),
  })
  .openapi('Base')
