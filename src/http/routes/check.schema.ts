/** `/v1/check`: the shapes of `gate/`, described. */
import { z } from '@hono/zod-openapi'
import { POLICY_WORDS } from '../../gate/rules.ts'
import { bytes, layerIndex, path, pathBase64, text } from '../openapi/fields.ts'
import { identitySchema } from './report.schema.ts'

const evidenceSchema = z
  .strictObject({
    path: path('Where it stands', 'srv/app/.git/config').optional(),
    pathBase64,
    bytes: bytes('Its size', 92).optional(),
    layer: layerIndex('The layer that holds it', 2).optional(),
  })
  .openapi('Evidence', { description: 'What a rule does not hold for: a path, or a whole layer.' })

const ruleVerdictSchema = z
  .strictObject({
    rule: text("The rule's name", 'maxWastedPercent'),
    unit: z.enum(['bytes', 'count', 'ratio', 'percent']).openapi({
      description: 'What `limit` and `actual` are counted in.',
      example: 'percent',
    }),
    limit: z
      .union([z.number(), z.string()])
      .openapi({ description: 'The limit; of `deny` the glob.', example: 10 }),
    actual: z.number().nullable().openapi({
      description:
        'What the image has; of `deny` the number of matching paths; null where there is nothing to compare.',
      example: 43.07968,
    }),
    pass: z.boolean().openapi({ description: 'Whether it holds.', example: false }),
    message: text('The verdict as a sentence', '43.1 % of the bytes in files are wasted; 10 % are allowed.'),
    evidence: z
      .array(evidenceSchema)
      .max(10)
      .optional()
      .openapi({ description: 'Where the rule does not hold: the ten worst, worst first.' }),
  })
  .openapi('RuleVerdict', { description: 'How one rule fares.' })

export const verdictSchema = z
  .strictObject({
    pass: z.boolean().openapi({ description: 'Whether every rule holds.', example: false }),
    image: identitySchema,
    baseline: identitySchema.optional(),
    rules: z.array(ruleVerdictSchema).openapi({ description: 'The rules, one by one; `deny` once a glob.' }),
  })
  .openapi('Verdict', { description: 'Whether an image keeps the rules.' })

const limit = (description: string, example: string) =>
  z.union([z.string(), z.number()]).optional().openapi({ description, example })

const globs = (description: string, example: string) =>
  z
    .array(z.string())
    .optional()
    .openapi({ description, example: [example] })

const SIZE =
  'Digits, an optional fraction, an optional unit: `B kB MB GB TB` (1000) or `KiB MiB GiB TiB` (1024).'

export const policySchema = z
  .strictObject(mapPolicyWords(limit, globs))
  .openapi('Policy', { description: `The rules, at least one. ${SIZE}` })

const image = text('A reference as `docker pull` takes it', 'alpine:3.20')
const platform = text('The platform as `os/arch[/variant]`', 'linux/amd64').optional()

export const checkRequestSchema = z
  .union([
    z.strictObject({ image, platform, policy: policySchema }),
    z.strictObject({
      image,
      platform,
      diveCi: text(
        "A `.dive-ci` file as it is, with dive's own meaning",
        'rules:\n  lowestEfficiency: 0.95\n',
      ),
    }),
  ])
  .openapi('CheckRequest', {
    description: 'An image, and the policy or `.dive-ci` file that it is held against.',
  })

type MakeSchema<S> = (description: string, example: string) => S

/** Each word of a policy as a schema: of its one value, or of its list where it repeats. */
export function mapPolicyWords<One extends z.ZodType, List extends z.ZodType>(
  one: MakeSchema<One>,
  list: MakeSchema<List>,
): Record<string, One | List> {
  return Object.fromEntries(
    [...POLICY_WORDS].map(([word, { holds, example, repeats }]) => [
      word,
      repeats ? list(holds, example) : one(holds, example),
    ]),
  )
}
