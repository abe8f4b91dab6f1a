/** `/v1/check`: the shapes of `gate/`, described. */
import { z } from '@hono/zod-openapi'
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

type Words = Readonly<Record<string, readonly [description: string, example: string]>>

/** The words of a policy, each with what it says; the same in a query and in a body. */
export const RULE_WORDS: Words = {
  maxCompressed: ['`size.compressedBytes` is at most this.', '200MB'],
  maxSize: ['`size.uncompressedBytes` is at most this.', '1.5GiB'],
  maxLayerSize: ["The largest layer's `uncompressedBytes` is at most this.", '500MB'],
  maxWasted: ['`waste.bytes` is at most this.', '50MB'],
  maxDuplicated: ['`duplicates.wastedBytes` is at most this.', '10MB'],
  maxWastedPercent: ['100 × `waste.bytes` ÷ `size.fileBytes` is at most this: `10` or `10%`.', '10%'],
  maxLayers: ['`counts.layers` is at most this.', '30'],
  maxFiles: ['`counts.files` is at most this.', '50000'],
  minEfficiency: ['`efficiency.score` is at least this, 0 to 1.', '0.9'],
  maxUserWastedPercent: [
    "100 × `efficiency.wastedUserRatio` (dive's ratio) is at most this: `10` or `10%`.",
    '10%',
  ],
  maxGrowth: ['Growth of `uncompressedBytes` over `baseline` is at most this: a size, or percent.', '5%'],
  maxCompressedGrowth: [
    'Growth of `compressedBytes` over `baseline` is at most this: a size, or percent.',
    '10MB',
  ],
  minWasteBytes: [
    'A floor: where `waste.bytes` is below it, the percent and efficiency rules hold anyway. No rule by itself.',
    '1MB',
  ],
  baseline: ['The image that growth is measured against. No rule by itself.', 'alpine:3.19'],
  baseImage: [
    'The image that this one is built on: bytes in its layers do not count in waste, duplicates and dive’s rules unless a layer of this image removed or replaced them. No rule by itself.',
    'alpine:3.20',
  ],
}

export const LIST_WORDS: Words = {
  deny: ['No path of the merged file system matches the glob; may be repeated.', '**/.git/**'],
  ignore: [
    'Paths that match count as neither waste, duplicates nor denied; may be repeated. No rule by itself.',
    'usr/share/doc/**',
  ],
}

export const policySchema = z
  .strictObject({
    ...mapWords(RULE_WORDS, limit),
    ...mapWords(LIST_WORDS, globs),
  })
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

/** Each word of a policy as a schema. */
export function mapWords<S extends z.ZodType>(
  words: Words,
  make: (description: string, example: string) => S,
): Record<string, S> {
  return Object.fromEntries(
    Object.entries(words).map(([word, [description, example]]) => [word, make(description, example)]),
  )
}
