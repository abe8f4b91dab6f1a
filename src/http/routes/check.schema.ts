/** `/v1/check`: the shapes of `gate/`, described. */
import { z } from '@hono/zod-openapi'
import { POLICY_KEYS } from '../../gate/rules.ts'
import {
  digestSchema,
  dockerfileSchema,
  int,
  pathBase64,
  platformNameSchema,
  readSchema,
  referenceSchema,
  text,
} from '../openapi/fields.ts'
import { baseEvidenceSchema } from './base.schema.ts'
import { identitySchema } from './report.schema.ts'

const evidenceSchema = z
  .strictObject({
    path: text().optional(),
    pathBase64,
    kind: text('Of a value in the config: `environment`, `history`, `label`').optional(),
    name: text('Of that value').optional(),
    bytes: int().optional(),
    files: int('In the layer, for a rule that counts files').optional(),
    layer: int().optional(),
    hidden: z.literal(true).optional().openapi({
      description: 'A later layer hides the path.',
    }),
    createdBy: text("The layer's build step").optional(),
    line: int().optional(),
  })
  .openapi('Evidence', { description: 'A path or a layer that breaks the rule.' })

const ruleVerdictSchema = z
  .strictObject({
    rule: text(),
    unit: z.enum(['bytes', 'count', 'ratio', 'percent', 'severity']),
    limit: z.union([z.number(), z.string()]).openapi({
      description: 'A number, a glob (`deny`) or a severity.',
    }),
    actual: z.union([z.number(), z.string()]).nullable().openapi({
      description:
        'As `limit`; of a glob, the number of matching paths; null if there is nothing to compare with.',
    }),
    pass: z.boolean(),
    message: text(),
    evidence: z
      .array(evidenceSchema)
      .max(10)
      .optional()
      .openapi({ description: 'The worst offenders of a broken rule, worst first.' }),
    line: int('Line of the step to blame in the posted `dockerfile`').optional(),
  })
  .openapi('RuleVerdict')

export const autoBaseSchema = z
  .strictObject({
    reference: text(),
    digest: digestSchema,
    evidence: z.array(baseEvidenceSchema),
    layers: int("How many of the image's layers are its"),
  })
  .openapi('AutoBase', { description: 'The base image that `baseImage=auto` found.' })

export const verdictSchema = z
  .strictObject({
    pass: z.boolean(),
    image: identitySchema,
    baseline: identitySchema.optional(),
    base: autoBaseSchema.optional(),
    rules: z.array(ruleVerdictSchema).openapi({ description: 'One per rule and glob.' }),
  })
  .openapi('Verdict')

const limit = () =>
  z
    .union([z.string(), z.number()])
    .optional()
    .openapi({ type: ['string', 'number'] })
const globs = () => z.array(z.string()).optional()

export const policySchema = z.strictObject(mapPolicyKeys(limit, globs)).openapi('Policy', {
  description: 'At least one rule, as the parameters of `GET`.',
})

const dockerfile = dockerfileSchema.optional()

const image = referenceSchema
const platform = platformNameSchema.optional()
const read = readSchema.optional()

export const checkRequestSchema = z
  .union([
    z.strictObject({ image, platform, read, policy: policySchema, dockerfile }),
    z.strictObject({
      image,
      platform,
      read,
      diveCi: text('The text of a `.dive-ci` file'),
      dockerfile,
    }),
  ])
  .openapi('CheckRequest', {
    description: 'An image, and a policy or `.dive-ci` file.',
  })

type MakeSchema<S> = (description: string) => S

/** The schema of each word of a policy: of its value, or of a list if it repeats. */
export function mapPolicyKeys<One extends z.ZodType, List extends z.ZodType>(
  one: MakeSchema<One>,
  list: MakeSchema<List>,
): Record<string, One | List> {
  return Object.fromEntries(
    [...POLICY_KEYS].map(([word, { holds, repeats }]) => [word, repeats ? list(holds) : one(holds)]),
  )
}
