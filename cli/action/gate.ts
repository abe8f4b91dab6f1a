/** The checks of the action: the verdict in each format, the figures, and what changed since the baseline. */
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import { isPullKnown } from '../../src/image/stored.ts'
import { type ApiCaller, ask, type Target } from '../ask.ts'
import { comparesGrowth, isThere, withoutGrowth } from '../baseline.ts'
import { Failure, systemReason } from '../failure.ts'

export type GateOptions = {
  readonly image: string
  readonly platform?: string | undefined
  readonly baseline?: string | undefined
  /** File with rules, or the rules themselves. */
  readonly policy?: string | undefined
  readonly rules?: string | undefined
  /** File with dive's rules. */
  readonly diveCi?: string | undefined
  /** The file that annotations point at; if it exists, its text gives the line numbers. */
  readonly dockerfile: string
}

export type GateAnswer = {
  readonly pass: boolean
  /** All four are absent if there are no rules. */
  readonly annotations?: string
  readonly verdict?: string
  readonly sarif?: string
  /** As JSON. */
  readonly verdictJson?: string
  readonly report: string
  /** Absent if there is no baseline, or none yet. */
  readonly diff?: string
  readonly isFirstRun: boolean
  readonly wastedBytes: number
  /** Unknown for an image that an engine stores uncompressed. */
  readonly compressedBytes?: number
}

const RULE_BROKEN = 412

const reportSchema = z.object({
  size: z.object({ compressedBytes: z.number(), stored: z.enum(['compressed', 'uncompressed', 'mixed']) }),
  waste: z.object({ bytes: z.number() }),
  image: z.object({ transport: z.string() }),
})

export async function runGate(caller: ApiCaller, options: GateOptions): Promise<GateAnswer> {
  const { image, platform, baseline } = options
  const target = { image, platform }
  const isFirstRun = baseline !== undefined && !(await isThere(caller, baseline, platform))
  const known = isFirstRun ? undefined : baseline
  const check = await checkBody(options, known)
  const facts = reportSchema.parse(JSON.parse(await get(caller, '/v1/report', target, 'json')))
  const verdict = check === undefined ? {} : await verdictOf(caller, check, options)
  return {
    pass: true,
    ...verdict,
    report: await get(caller, '/v1/report', target, 'markdown'),
    ...(known === undefined ? {} : { diff: await diff(caller, known, target) }),
    isFirstRun,
    wastedBytes: facts.waste.bytes,
    ...(isPullKnown(facts.image, facts.size.stored) ? { compressedBytes: facts.size.compressedBytes } : {}),
  }
}

async function get(caller: ApiCaller, path: string, target: Target, format: string): Promise<string> {
  const query = new URLSearchParams({ image: target.image, format })
  if (target.platform !== undefined) query.set('platform', target.platform)
  return (await ask(caller, { path, query, targets: [target] })).text()
}

async function diff(caller: ApiCaller, baseline: string, { image, platform }: Target): Promise<string> {
  const query = new URLSearchParams({ from: baseline, to: image, format: 'markdown' })
  if (platform !== undefined) {
    query.set('fromPlatform', platform)
    query.set('toPlatform', platform)
  }
  const targets = [baseline, image].map((one) => ({ image: one, platform }))
  return (await ask(caller, { path: '/v1/diff', query, targets })).text()
}

type CheckBody = { readonly json: string; readonly targets: readonly Target[] }

/** Undefined if there is no rule to check. @param baseline if the registry has it */
async function checkBody(options: GateOptions, baseline: string | undefined): Promise<CheckBody | undefined> {
  const { image, platform, policy, rules, diveCi, dockerfile } = options
  const given = [policy, rules, diveCi].filter((one) => one !== undefined)
  if (given.length > 1)
    throw new Failure('invalid_parameter', 'give one of the inputs policy, rules and dive-ci')
  if (given.length === 0) return undefined
  const text = await readFile(dockerfile, 'utf8').catch(() => undefined)
  const target = { image, platform }
  const common = { ...target, ...(text === undefined ? {} : { dockerfile: text }) }
  const targets = [target, ...(baseline === undefined ? [] : [{ image: baseline, platform }])]
  if (diveCi !== undefined)
    return { json: JSON.stringify({ ...common, diveCi: await readInput(diveCi) }), targets }
  const words = rulesIn(policy === undefined ? (rules ?? '') : await readInput(policy), policy ?? 'rules')
  const policyUsed = policyFor(words, {
    baseline,
    isFirstRun: baseline === undefined && options.baseline !== undefined,
  })
  return policyUsed && { json: JSON.stringify({ ...common, policy: policyUsed }), targets }
}

function policyFor(
  words: Readonly<Record<string, unknown>>,
  { baseline, isFirstRun }: { readonly baseline: string | undefined; readonly isFirstRun: boolean },
) {
  if (!comparesGrowth(words)) return words
  if (isFirstRun) return withoutGrowth(words)
  return baseline === undefined ? words : { baseline, ...words }
}

function rulesIn(text: string, from: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = parse(text, { maxAliasCount: 0 })
  } catch {
    throw new Failure('invalid_parameter', `${from} is neither JSON nor YAML`)
  }
  const read = z.record(z.string(), z.unknown()).safeParse(value)
  if (read.success) return read.data
  throw new Failure('invalid_parameter', `${from} must map rules to limits, as in maxSize: 300MB`)
}

async function readInput(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new Failure('input_error', `cannot read ${file}: ${systemReason(error)}`)
  }
}

async function verdictOf(caller: ApiCaller, { json, targets }: CheckBody, { dockerfile }: GateOptions) {
  const checkAs = async (format: string) => {
    const query = new URLSearchParams({ format, wait: '0' })
    if (format === 'github' || format === 'sarif') query.set('file', dockerfile)
    const response = await ask(caller, {
      path: '/v1/check',
      query,
      body: json,
      targets,
      answers: [RULE_BROKEN],
    })
    return { text: await response.text(), pass: response.status !== RULE_BROKEN }
  }
  const { text: annotations, pass } = await checkAs('github')
  return {
    pass,
    annotations,
    verdict: (await checkAs('markdown')).text,
    sarif: (await checkAs('sarif')).text,
    verdictJson: (await checkAs('json')).text,
  }
}
