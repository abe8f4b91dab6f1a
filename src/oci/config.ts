/**
 * Image configs: what the image runs, on which platform, and how its layers were built. Sources: OCI image-spec v1.1
 * `config.md`; the Docker Image Specification v1.3 for the fields that only Docker has.
 */
import { z } from 'zod'
import { Problem } from '../problem.ts'
import { hasMoreParts, parseJson } from '../text/json.ts'
import { requireSha256 } from './digest.ts'
import type { ImageManifest } from './manifest.ts'
import type { HistoryStep, RunConfig } from './run-config.ts'
import { findSecretValues, maskForms, maskStep, type SecretValue } from './secret-values.ts'

export type { Healthcheck, HistoryStep, RunConfig } from './run-config.ts'

export type ImageConfig = {
  readonly os: string
  readonly architecture: string
  readonly variant?: string | undefined
  readonly osVersion?: string | undefined
  /** RFC 3339 in UTC. */
  readonly created?: string | undefined
  readonly author?: string | undefined
  readonly config: RunConfig
  /** `sha256:<hex>` of each layer's uncompressed tar, from the lowest to the highest. */
  readonly diffIds: readonly string[]
  /** Values that look like secrets are masked. */
  readonly history: readonly HistoryStep[]
  /** What looks like a secret in the environment, the labels and the history. */
  readonly secretValues?: readonly SecretValue[]
}

const MAX_LAYERS = 1_024
const MAX_HISTORY = 4_096
const MAX_VALUES = 10_000

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

const invalid = (detail: string) => new Problem('invalid_image', detail, { permanent: true })

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined)
/** For a list or map of strings: Go reads null as empty. */
const item = z
  .string()
  .nullable()
  .transform((value) => value ?? '')
const texts = z
  .array(item)
  .max(MAX_VALUES)
  .nullish()
  .transform((value) => value ?? undefined)
/** A command as Docker reads it: a list or a string. */
const command = z
  .union([z.array(item).max(MAX_VALUES), z.string().transform((value) => [value])])
  .nullish()
  .transform((value) => value ?? undefined)
const duration = z
  .number()
  .nullish()
  .transform((value) => value ?? undefined)
/** A set as Go writes it: an object with empty values. */
const keys = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => Object.keys(value ?? {}).sort())

/** Names and values. Checked pair by pair: a record would lose the name `__proto__`. */
const pairs = z
  .custom<object>((value) => typeof value === 'object' && !Array.isArray(value), 'must be an object')
  .nullish()
  .transform((value) => Object.entries(value ?? {}))
  .pipe(z.array(z.tuple([z.string(), item])).max(MAX_VALUES))
  .transform((entries): Readonly<Record<string, string>> => Object.fromEntries(entries))

const healthcheckSchema = z.object({
  Test: texts,
  Interval: duration,
  Timeout: duration,
  StartPeriod: duration,
  StartInterval: duration,
  Retries: duration,
})

const runConfigSchema = z.object({
  Env: texts,
  Labels: pairs,
  Entrypoint: command,
  Cmd: command,
  User: text,
  WorkingDir: text,
  ExposedPorts: keys,
  Volumes: keys,
  Healthcheck: healthcheckSchema.nullish().transform((value) => value ?? undefined),
  StopSignal: text,
  Shell: texts,
  OnBuild: texts,
})

const configSchema = z.object({
  os: text,
  architecture: text,
  variant: text,
  'os.version': text,
  created: text,
  author: text,
  config: runConfigSchema.nullish(),
  rootfs: z.object({ diff_ids: z.array(z.string()).max(MAX_LAYERS).nullish() }).nullish(),
  history: z
    .array(
      z.object({
        created: text,
        created_by: text,
        comment: text,
        empty_layer: z.boolean().nullish(),
      }),
    )
    .max(MAX_HISTORY)
    .nullish(),
})

type ParsedConfig = z.infer<typeof configSchema>

/** In UTC, with its digits; undefined for an invalid time, which is left out. */
export function toTime(value: string | undefined): string | undefined {
  if (value === undefined || !RFC_3339.test(value)) return undefined
  if (value.endsWith('Z')) return value
  const milliseconds = Date.parse(value)
  return Number.isNaN(milliseconds) ? undefined : new Date(milliseconds).toISOString()
}

/** Go writes an absent field as an empty string. */
const nonEmpty = (value: string | undefined) => value || undefined

function toRunConfig(parsed: ParsedConfig['config']): RunConfig {
  const health = parsed?.Healthcheck
  return {
    env: parsed?.Env ?? [],
    labels: parsed?.Labels ?? {},
    entrypoint: parsed?.Entrypoint,
    cmd: parsed?.Cmd,
    user: nonEmpty(parsed?.User),
    workingDir: nonEmpty(parsed?.WorkingDir),
    exposedPorts: parsed?.ExposedPorts ?? [],
    volumes: parsed?.Volumes ?? [],
    healthcheck: health?.Test && {
      test: health.Test,
      interval: health.Interval,
      timeout: health.Timeout,
      startPeriod: health.StartPeriod,
      startInterval: health.StartInterval,
      retries: health.Retries,
    },
    stopSignal: nonEmpty(parsed?.StopSignal),
    shell: parsed?.Shell,
    onBuild: parsed?.OnBuild ?? [],
  }
}

/**
 * The steps that made a layer, in the order of the layers. Empty if their number differs from that of the layers (a
 * squashed image, a builder without history): then it is unknown which step made which layer.
 */
export function nonEmptyHistory(config: ImageConfig): readonly HistoryStep[] {
  const steps = config.history.filter((step) => !step.emptyLayer)
  return steps.length === config.diffIds.length ? steps : []
}

/**
 * A config names the diffId of each layer of its manifest.
 *
 * @throws Problem `invalid_image`, permanent, if it names more or fewer
 */
export function requireDiffIds(manifest: ImageManifest, config: ImageConfig): void {
  if (config.diffIds.length === manifest.layers.length) return
  throw invalid(
    `the manifest has ${manifest.layers.length} layers, but the config has ${config.diffIds.length} diffIds`,
  )
}

/** Three times what the longest history and everything else need: parsed within some 20 ms, in the thread that answers. */
const MAX_PARTS = 100_000

/**
 * A missing `os` means Linux, as in Docker; a missing `architecture` is `unknown`, which matches no platform.
 *
 * @throws Problem `invalid_image` if it is not a config, `unsupported_digest` for a diffId that is not sha256,
 * `too_large` for too many values; permanent
 */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  if (hasMoreParts(bytes, MAX_PARTS)) {
    throw new Problem('too_large', `the config has more than ${MAX_PARTS} values`, { permanent: true })
  }
  const json = parseJson(bytes)
  if (json === undefined) throw invalid('the config is not JSON')
  const parsed = configSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw invalid(`the config${issue?.path.length ? `'s ${issue.path.join('.')}` : ''}: ${issue?.message}`)
  }
  const { os, architecture, variant, created, author, config, rootfs, history } = parsed.data
  const diffIds = rootfs?.diff_ids ?? []
  for (const [i, diffId] of diffIds.entries()) requireSha256(diffId, `layer ${i} in the config`)
  const run = toRunConfig(config)
  const steps = (history ?? []).map((step) => ({
    created: toTime(step.created),
    createdBy: nonEmpty(step.created_by),
    comment: nonEmpty(step.comment),
    emptyLayer: step.empty_layer ?? false,
  }))
  const secretValues = findSecretValues(run, steps)
  return {
    os: nonEmpty(os) ?? 'linux',
    architecture: nonEmpty(architecture) ?? 'unknown',
    variant: nonEmpty(variant),
    osVersion: nonEmpty(parsed.data['os.version']),
    created: toTime(created),
    author: nonEmpty(author),
    config: run,
    diffIds,
    history: steps.map(({ createdBy, comment, ...step }) => ({
      ...step,
      createdBy: createdBy && maskStep(createdBy),
      comment: comment && maskForms(comment),
    })),
    ...(secretValues.length === 0 ? {} : { secretValues }),
  }
}
