/** The GitHub Action: checks an image where it is built, without a service. `action.yml` describes its inputs and outputs. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import type { ApiCaller } from '../ask.ts'
import { gatherFacts, readFacts, readHistory } from '../comment/facts.ts'
import { github, isForPullRequest, pullRequest, pullRequestComments } from '../comment/github.ts'
import { keepComment, readThreshold } from '../comment/keep.ts'
import { credentialHeaders } from '../credentials.ts'
import { findEngine } from '../engine.ts'
import { Failure, systemReason } from '../failure.ts'
import { localClient } from '../local.ts'
import { NO_PROGRESS } from '../progress.ts'
import { remoteClient } from '../remote.ts'
import { withUploads } from '../uploads.ts'
import { type GateAnswer, type GateOptions, runGate } from './gate.ts'
import { annotate, flag, input, log, writeOutputs, writeSummary } from './runner.ts'

/** What a file with the facts of a comment may have. */
const MAX_FACTS_BYTES = 16 * 1024 * 1024
/** Names that need no escaping in any format. */
const PLAIN_NAME = /^[\w.:/@-]+$/

const { env } = process
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

process.exit(await main())

async function main(): Promise<number> {
  try {
    const from = input(env, 'comment-from')
    if (from !== '') return await commentOnly(from)
    const answer = await answerFor(gateOptions())
    await tell(answer)
    return answer.pass ? 0 : 1
  } catch (error) {
    const reason = error instanceof Failure ? `${error.code}: ${error.message}` : systemReason(error)
    annotate('error', reason)
    await writeOutputs(env, { pass: 'false', 'compressed-bytes': '', 'wasted-bytes': '' })
    return 1
  }
}

/** The facts that a run about a fork wrote: no image is read, and nothing in them is run. */
async function commentOnly(file: string): Promise<number> {
  const { size } = await stat(file).catch((error) => {
    throw new Failure('input_error', `cannot read ${file}: ${systemReason(error)}`)
  })
  if (size > MAX_FACTS_BYTES) throw new Failure('too_large', `${file} has more than ${MAX_FACTS_BYTES} bytes`)
  const text = await readFile(file, 'utf8')
  const { verdict } = readFacts(text)
  await writeOutputs(env, {
    pass: String(verdict?.pass ?? true),
    'compressed-bytes': '',
    'wasted-bytes': '',
  })
  return (await comment(text)) ? 0 : 1
}

function gateOptions(): GateOptions {
  const given = (name: string) => input(env, name) || undefined
  const image = given('image')
  if (image === undefined) throw new Failure('invalid_parameter', 'the input image is required')
  return {
    image,
    platform: given('platform'),
    baseline: given('baseline'),
    policy: given('policy'),
    rules: given('rules'),
    diveCi: given('dive-ci'),
    dockerfile: given('dockerfile') ?? 'Dockerfile',
  }
}

async function answerFor(options: GateOptions): Promise<Answer> {
  const { signal } = stop
  const references = [options.image, ...(options.baseline === undefined ? [] : [options.baseline])]
  const server = input(env, 'server') || undefined
  const client =
    server === undefined
      ? await localClient({
          env,
          cache: true,
          analyses: true,
          engine: await engineFor(references),
          warn: log,
        })
      : remoteClient(server, input(env, 'server-token') || undefined)
  try {
    const headers = await credentialHeaders(references, env, signal)
    const caller = { client, headers, signal, progress: NO_PROGRESS, watches: false }
    if (server === undefined) return await gateWithFacts(caller, options)
    return await withUploads({ client, env, signal, progress: NO_PROGRESS }, references, async (uploaded) => {
      const { image, baseline } = options
      const known = baseline && uploaded.get(baseline)
      const asked = { ...options, image: uploaded.get(image) ?? image, baseline: known }
      return named(await gateWithFacts(caller, asked), uploaded)
    })
  } finally {
    await client.close()
  }
}

type Answer = GateAnswer & {
  /** The JSON of what a comment tells. */
  readonly facts?: string
}

/** A comment that cannot be made is a warning: the gate has its answer. */
async function gateWithFacts(caller: ApiCaller, options: GateOptions): Promise<Answer> {
  const answer = await runGate(caller, options)
  const comments = flag(env, 'comment', true) && (await isForPullRequest(env))
  if (!comments && input(env, 'result') === '') return answer
  const { platform } = options
  const { isFirstRun, verdictJson: verdict } = answer
  const baseline =
    isFirstRun || options.baseline === undefined ? undefined : { image: options.baseline, platform }
  const history = readHistory(input(env, 'history') || undefined, words('history-tag'))
  try {
    const image = { image: options.image, platform }
    const question = { image, baseline, isFirst: isFirstRun, verdict, history }
    return { ...answer, facts: await gatherFacts(caller, question, (lack) => annotate('warning', lack)) }
  } catch (error) {
    annotate('warning', `There is no comment on the pull request: ${systemReason(error)}`)
    return answer
  }
}

function words(name: string): readonly string[] {
  return input(env, name).split(/\s+/).filter(Boolean)
}

/** Readers see the name that the user gave: an upload is gone by the time they read it. */
function named(answer: Answer, uploaded: ReadonlyMap<string, string>): Answer {
  const names = [...uploaded].filter(([name, upload]) => name !== upload && PLAIN_NAME.test(name))
  const named = (text: string) => names.reduce((all, [name, upload]) => all.replaceAll(upload, name), text)
  const { annotations, verdict, sarif, report, diff, facts } = answer
  return {
    ...answer,
    report: named(report),
    ...(annotations === undefined ? {} : { annotations: named(annotations) }),
    ...(verdict === undefined ? {} : { verdict: named(verdict) }),
    ...(sarif === undefined ? {} : { sarif: named(sarif) }),
    ...(diff === undefined ? {} : { diff: named(diff) }),
    ...(facts === undefined ? {} : { facts: named(facts) }),
  }
}

function engineFor(references: readonly string[]) {
  return references.some((one) => one.startsWith('docker-daemon:')) ? findEngine(env) : undefined
}

async function tell(answer: Answer): Promise<void> {
  const { pass, annotations, verdict, sarif, report, diff, isFirstRun, facts } = answer
  if (annotations !== undefined) process.stdout.write(annotations)
  const baseline = input(env, 'baseline')
  if (isFirstRun)
    annotate('notice', `The baseline ${baseline} does not exist yet, so growth was not checked.`)
  const place = input(env, 'sarif')
  if (place !== '' && sarif !== undefined) await writeFile(place, `${sarif}\n`)
  await writeOutputs(env, {
    pass: String(pass),
    'compressed-bytes': String(answer.compressedBytes ?? ''),
    'wasted-bytes': String(answer.wastedBytes),
  })
  const sections = [verdict, report, diff].filter((one) => one !== undefined)
  await writeSummary(env, `${sections.join('\n')}\n`)
  const file = input(env, 'result')
  if (file !== '' && facts !== undefined) await writeFile(file, facts)
  if (facts !== undefined && flag(env, 'comment', true)) await comment(facts)
}

/**
 * A comment that cannot be written is a warning, not a failure: the token of a pull request from a fork may not write.
 *
 * @returns whether there is nothing more to do
 */
async function comment(text: string): Promise<boolean> {
  const token = input(env, 'token') || env.GITHUB_TOKEN || ''
  const repository = env.GITHUB_REPOSITORY
  if (token === '' || !repository) return true
  const { signal } = stop
  try {
    const threshold = readThreshold(input(env, 'comment-threshold') || undefined)
    const forge = github(env, token, signal)
    const pull = await pullRequest(forge, env)
    if (pull === undefined) return true
    const comments = pullRequestComments(forge, repository, pull.number)
    const server = input(env, 'server') || undefined
    const done = await keepComment(comments, readFacts(text), { threshold, server, report: pull.run, signal })
    if (done === 'silent') log('No comment: the change is below comment-threshold, and nothing else is new.')
    return true
  } catch (error) {
    annotate('warning', `The comment on the pull request was not written: ${systemReason(error)}`)
    return false
  }
}
