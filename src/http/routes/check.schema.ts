/** `/v1/check`: the shapes of `gate/`, described. */
import { z } from '@hono/zod-openapi'
import { POLICY_WORDS } from '../../gate/rules.ts'
import { bytes, count, layerIndex, path, pathBase64, text } from '../openapi/fields.ts'
import { identitySchema } from './report.schema.ts'

const evidenceSchema = z
  .strictObject({
    path: path('Its path', 'srv/app/.git/config').optional(),
    pathBase64,
    bytes: bytes('Its size', 92).optional(),
    files: count('For a rule that counts files: the number of files in the layer', 1204).optional(),
    layer: layerIndex('Its layer', 2).optional(),
    hidden: z.literal(true).optional().openapi({
      description: 'True if a layer stores the path but the merged file system does not show it.',
      example: true,
    }),
    createdBy: text('The build step of the layer', 'COPY . /srv/app # buildkit').optional(),
    line: count('The line of the build step in the posted `dockerfile`', 12).optional(),
  })
  .openapi('Evidence', { description: 'A path or a layer that breaks the rule.' })

const ruleVerdictSchema = z
  .strictObject({
    rule: text("The rule's name", 'maxWastedPercent'),
    unit: z.enum(['bytes', 'count', 'ratio', 'percent', 'severity']).openapi({
      description: 'Unit of `limit` and `actual`.',
      example: 'percent',
    }),
    limit: z.union([z.number(), z.string()]).openapi({
      description: 'The limit; the glob of a deny rule, the severity of `maxSeverity`.',
      example: 10,
    }),
    actual: z.union([z.number(), z.string()]).nullable().openapi({
      description:
        'The image’s value; for a deny rule the number of matching paths, for `maxSeverity` the worst severity; null if there is nothing to compare.',
      example: 43.07968,
    }),
    pass: z.boolean().openapi({ description: 'True if the image keeps the rule.', example: false }),
    message: text('The result in a sentence', '43.1 % of the bytes in files are wasted; 10 % are allowed.'),
    evidence: z
      .array(evidenceSchema)
      .max(10)
      .optional()
      .openapi({ description: 'For a broken rule: the ten worst places, worst first.' }),
    line: count('The line of the step to blame in the posted `dockerfile`', 12).optional(),
  })
  .openapi('RuleVerdict', { description: 'The result of one rule.' })

export const verdictSchema = z
  .strictObject({
    pass: z.boolean().openapi({ description: 'True if the image keeps every rule.', example: false }),
    image: identitySchema,
    baseline: identitySchema.optional(),
    rules: z
      .array(ruleVerdictSchema)
      .openapi({ description: 'One result per rule, and per glob of a deny rule.' }),
  })
  .openapi('Verdict', { description: 'The result of a check.' })

const limit = (description: string, example: string) =>
  z.union([z.string(), z.number()]).optional().openapi({ description, example })

const globs = (description: string, example: string) =>
  z
    .array(z.string())
    .optional()
    .openapi({ description, example: [example] })

const SIZE = 'A size is a number with an optional unit: `B kB MB GB TB` (1000) or `KiB MiB GiB TiB` (1024).'

export const policySchema = z
  .strictObject(mapPolicyWords(limit, globs))
  .openapi('Policy', { description: `The rules, at least one. ${SIZE}` })

const dockerfile = text(
  'The Dockerfile that the image was built from, at most 256 KiB: findings then have its lines',
  'FROM alpine:3.20\nCOPY . /srv/app\n',
).optional()

const image = text('An image reference as for `docker pull`', 'alpine:3.20')
const platform = text('`os/arch[/variant]`', 'linux/amd64').optional()
const read = z.enum(['full', 'toc']).optional().openapi({
  description: '`toc`: from tables of contents alone, where layers have them.',
  example: 'full',
})

export const checkRequestSchema = z
  .union([
    z.strictObject({ image, platform, read, policy: policySchema, dockerfile }),
    z.strictObject({
      image,
      platform,
      read,
      diveCi: text(
        "The text of a `.dive-ci` file, with dive's meaning",
        'rules:\n  lowestEfficiency: 0.95\n',
      ),
      dockerfile,
    }),
  ])
  .openapi('CheckRequest', {
    description: 'An image and the policy or `.dive-ci` file to check it against.',
  })

type MakeSchema<S> = (description: string, example: string) => S

/** Each word of a policy as a schema: of its value, or of a list if it repeats. */
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
