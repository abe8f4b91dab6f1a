/** The GitHub Action: checks an image where it is built, without a service. `action.yml` describes its inputs and outputs. */
import { writeFile } from 'node:fs/promises'
import { parseImageReference } from '../../src/oci/image-reference.ts'
import { credentialHeaders } from '../credentials.ts'
import { findEngine } from '../engine.ts'
import { Failure, systemReason } from '../failure.ts'
import { localClient } from '../local.ts'
import { NO_PROGRESS } from '../progress.ts'
import { remoteClient } from '../remote.ts'
import { withUploads } from '../uploads.ts'
import { keepComment, pullRequest } from './comment.ts'
import { type GateAnswer, type GateOptions, runGate } from './gate.ts'
import { annotate, flag, input, log, writeOutputs, writeSummary } from './runner.ts'

/** GitHub's limit on a comment, in characters. */
const COMMENT_CHARACTERS = 65_000
/** Names that need no escaping in any format. */
const PLAIN_NAME = /^[\w.:/@-]+$/

const { env } = process
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

process.exit(await main())

async function main(): Promise<number> {
  try {
    const answer = await answerFor(gateOptions())
    await tell(answer)
    return answer.pass ? 0 : 1
  } catch (error) {
    const told = error instanceof Failure ? `${error.code}: ${error.message}` : systemReason(error)
    annotate('error', told)
    await writeOutputs(env, { pass: 'false', 'compressed-bytes': '', 'wasted-bytes': '' })
    return 1
  }
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

async function answerFor(options: GateOptions): Promise<GateAnswer> {
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
    if (server === undefined) return await runGate(caller, options)
    return await withUploads({ client, env, signal, progress: NO_PROGRESS }, references, async (uploaded) => {
      const { image, baseline } = options
      const known = baseline && uploaded.get(baseline)
      const asked = { ...options, image: uploaded.get(image) ?? image, baseline: known }
      return named(await runGate(caller, asked), uploaded)
    })
  } finally {
    await client.close()
  }
}

/** Readers see the name that the user gave: an upload is gone by the time they read it. */
function named(answer: GateAnswer, uploaded: ReadonlyMap<string, string>): GateAnswer {
  const names = [...uploaded].filter(([name, upload]) => name !== upload && PLAIN_NAME.test(name))
  const told = (text: string) => names.reduce((all, [name, upload]) => all.replaceAll(upload, name), text)
  const { annotations, verdict, sarif, report, diff } = answer
  return {
    ...answer,
    report: told(report),
    ...(annotations === undefined ? {} : { annotations: told(annotations) }),
    ...(verdict === undefined ? {} : { verdict: told(verdict) }),
    ...(sarif === undefined ? {} : { sarif: told(sarif) }),
    ...(diff === undefined ? {} : { diff: told(diff) }),
  }
}

function engineFor(references: readonly string[]) {
  return references.some((one) => one.startsWith('docker-daemon:')) ? findEngine(env) : undefined
}

async function tell(answer: GateAnswer): Promise<void> {
  const { pass, annotations, verdict, sarif, report, diff, isFirstRun } = answer
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
  await comment(sections)
}

/** A comment that cannot be written is a warning, not a failure: the token of a pull request from a fork may not write. */
async function comment(sections: readonly string[]): Promise<void> {
  if (!flag(env, 'comment', true)) return
  const number = await pullRequest(env)
  const token = input(env, 'token') || env.GITHUB_TOKEN || ''
  if (number === undefined || token === '') return
  const key = commentKey(input(env, 'image'))
  try {
    await keepComment(number, { env, token, key, markdown: fitting(sections), signal: stop.signal })
  } catch (error) {
    annotate('warning', `The comment on the pull request was not written: ${systemReason(error)}`)
  }
}

/** The image without what changes from build to build. */
function commentKey(image: string): string {
  const reference = parseImageReference(image)
  switch (reference.transport) {
    case 'docker':
      return `${reference.registry}/${reference.repository}`
    case 'docker-daemon':
      return `docker-daemon:${reference.name.replace(/:[^:/]*$/, '')}`
    case 'upload':
      return 'upload'
    default:
      return `${reference.transport}:${reference.path.replaceAll('--', '- -')}`
  }
}

/** As many sections as fit in a comment; the rest is in the summary. */
function fitting(sections: readonly string[]): string {
  let text = ''
  for (const section of sections) {
    if (text.length + section.length > COMMENT_CHARACTERS)
      return `${text}\nThe rest is too long for a comment: see the summary of the run.\n`
    text += `${section}\n`
  }
  return text
}
