/** Asks the API for a command, and writes the answer. */

import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { terminalText } from '../src/formats/escape.ts'
import { toJson } from '../src/text/json.ts'
import type { Api } from './api.ts'
import type { ApiCaller, ApiQuestion, Target } from './ask.ts'
import { analysed, ask, type Steps, send, stepsDone } from './ask.ts'
import { GROWTH_RULES, isThere, withoutGrowth } from './baseline.ts'
import type { Client } from './client.ts'
import type { CommentQuestion } from './comment/facts.ts'
import { credentialHeaders } from './credentials.ts'
import { ENGINE_LIST, engineImages } from './engine-images.ts'
import { Failure, systemReason } from './failure.ts'
import { flagOf } from './flags.ts'
import { imagesToIndex, indexImages } from './index-images.ts'
import { lineBatches } from './line-batches.ts'
import { lineOf, safeJson, safeText } from './lines.ts'
import { isInEngine, nameInEngine } from './names.ts'
import { type Output, openOutput } from './output.ts'
import type { Request } from './program.ts'
import { NO_PROGRESS, progressLine } from './progress.ts'
import { unpack } from './unpack.ts'
import { withUploads } from './uploads.ts'

export type Context = {
  readonly api: Api
  readonly client: Client
  /** A remote service answers, which cannot read this machine. */
  readonly isRemote: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

/** Parameters whose values are images, or a repository. */
const REFERENCES = ['image', 'from', 'to', 'baseline', 'baseImage', 'repository']
/** Machine-readable formats of the gate, which need problems on stdout, too. */
const MACHINE_FORMATS = new Set(['junit', 'sarif', 'github', 'gitlab', 'openmetrics'])
const RULE_BROKEN = 412
/** Names that need no escaping in any format. */
const PLAIN_NAME = /^[\w.:/@-]+$/
const SAME_NAMES = (text: string): string => text

/** @returns the exit code */
export async function answer(context: Context, request: Request): Promise<number> {
  const format = formatOf(request)
  if (isEngineList(request)) return listEngine(context, request, format ?? 'text')
  const answerFrom = (asked: Request, named = SAME_NAMES) => answerWith(context, asked, { format, named })
  if (!context.isRemote) return answerFrom(request)
  const progress = watchesProgress(request) ? progressLine(process.stderr) : NO_PROGRESS
  const references = REFERENCES.flatMap((name) => request.parameters.get(name) ?? [])
  return withUploads({ ...context, progress }, references, (uploaded) => {
    const given = [...request.parameters].map(([name, values]): [string, readonly string[]] => [
      name,
      REFERENCES.includes(name) ? values.map((value) => uploaded.get(value) ?? value) : values,
    ])
    const named = (text: string) =>
      [...uploaded].reduce(
        (all, [name, upload]) => (PLAIN_NAME.test(name) ? all.replaceAll(upload, name) : all),
        text,
      )
    return answerFrom({ ...request, parameters: new Map(given) }, named)
  })
}

function watchesProgress({ settings }: Request): boolean {
  return process.stderr.isTTY && !settings.quiet
}

function isEngineList({ command, parameters }: Request): boolean {
  return command.name === 'images' && parameters.get('repository')?.[0] === ENGINE_LIST
}

async function listEngine({ env, signal }: Context, request: Request, format: string): Promise<number> {
  for (const name of request.parameters.keys())
    if (name !== 'repository')
      throw new Failure('invalid_parameter', `${flagOf(name)} does not apply to ${ENGINE_LIST}`)
  const style = { colour: hasColour(env, request), width: columnsOf(env) }
  const output = openOutput(request.settings.output)
  try {
    for await (const text of engineImages(env, { format, style, signal })) await output.write(text)
    await output.finish()
    return 0
  } catch (error) {
    await output.discard()
    throw error
  }
}

type Form = Pick<Work, 'format' | 'named'>

async function answerWith(context: Context, request: Request, form: Form): Promise<number> {
  const { format } = form
  const { command, settings } = request
  if (settings.comment) (await import('./comment/command.ts')).requireForge(context.env)
  const watches = watchesProgress(request)
  if (command.kind === 'index') {
    const targets = await imagesToIndex(request)
    return indexImages(
      await callerOf(
        context,
        targets.map(({ image }) => image),
        false,
      ),
      targets,
      (image, failure) => elsewhere(context, request, { image, failure }),
    )
  }
  if (command.kind === 'cluster') return cluster(context, request, format)
  const references = REFERENCES.flatMap((name) => request.parameters.get(name) ?? [])
  const caller = await callerOf(context, references, watches)
  if (command.kind === 'bundle') return bundle(caller, request)
  const output = openOutput(settings.output)
  try {
    const code = await writeAnswer(context, { caller, request, output, ...form })
    await output.finish()
    return code
  } catch (error) {
    await output.discard()
    throw error
  }
}

/** An image of a list may be in the engine alone, too; a service reads no engine of this machine. */
async function elsewhere(
  { env, signal, isRemote }: Context,
  { settings: { source } }: Request,
  { image, failure }: { readonly image: string; readonly failure: unknown },
): Promise<string> {
  if (isRemote) throw failure
  const tell = (line: string) => void process.stderr.write(`lamina: ${line}\n`)
  return nameInEngine(image, failure, { source, env, signal, tell })
}

/** The objects say which images they use. @returns the exit code: 2 if one cannot be read */
async function cluster(context: Context, request: Request, format = 'text'): Promise<number> {
  const { readCluster } = await import('./cluster/read-cluster.ts')
  const { writeCluster } = await import('./cluster/write-cluster.ts')
  const summary = await readCluster(request, (references) =>
    callerOf(context, references, watchesProgress(request)),
  )
  const style = { colour: hasColour(context.env, request), width: columnsOf(context.env) }
  const output = openOutput(request.settings.output)
  try {
    for (const text of writeCluster(summary, format, style)) await output.write(text)
    await output.finish()
  } catch (error) {
    await output.discard()
    throw error
  }
  const { images, problems } = summary.total
  if (problems === 0) return 0
  process.stderr.write(`lamina: ${problems} of ${images + problems} images cannot be read\n`)
  return 2
}

async function callerOf(
  { client, env, signal }: Context,
  references: readonly string[],
  watches: boolean,
): Promise<ApiCaller> {
  return {
    client,
    headers: await credentialHeaders(references, env, signal),
    signal,
    progress: watches ? progressLine(process.stderr) : NO_PROGRESS,
    watches,
  }
}

/** @throws Failure `invalid_parameter` for a format that the command does not have */
function formatOf({ command, settings }: Request): string | undefined {
  const [usual] = command.formats
  const { format = usual } = settings
  if (format === undefined || command.formats.includes(format)) return format
  throw new Failure('invalid_parameter', `--format must be one of ${command.formats.join(', ')}`)
}

type Work = {
  readonly caller: ApiCaller
  readonly request: Request
  readonly format: string | undefined
  readonly output: Output
  /** A text with the names that the user gave, in place of those of uploads. */
  readonly named: (text: string) => string
}

async function writeAnswer(context: Context, work: Work): Promise<number> {
  switch (work.request.command.kind) {
    case 'gate':
      return check(context, work)
    case 'diff':
      return diff(context, work)
    case 'steps':
      await steps(context, work)
      return 0
    case 'list':
      await list(context, work, work.request.command.endpoints[0] ?? '')
      return 0
    default:
      if (work.format === 'ncdu') await writeNcdu(work)
      else await plain(context, work)
      return 0
  }
}

async function writeNcdu({ caller, request, output }: Work): Promise<void> {
  const { ncduExport, pathGiven } = await import('./ncdu.ts')
  const { Questions } = await import('./explore/questions.ts')
  for (const name of ['depth', 'layer', 'limit'])
    if (request.parameters.has(name))
      throw new Failure(
        'invalid_parameter',
        `${flagOf(name)} does not apply to --format ncdu: it has the whole tree`,
      )
  const [target = { image: '' }] = targetsOf(request)
  const questions = new Questions(caller, target, target.read)
  for await (const part of ncduExport(questions, pathGiven(request.parameters))) await output.write(part)
}

/** Commands whose endpoint reads something itself. */
const STEPS: ReadonlyMap<string, Steps> = new Map([
  ['storage', 'tags'],
  ['compression', 'layers'],
])

/** The endpoint's own text, or its bytes. */
async function plain(context: Context, work: Work): Promise<void> {
  const { caller, request, output } = work
  const [first = '', content = first] = request.command.endpoints
  const isContent = request.parameters.has('digest')
  if (isContent && request.settings.format !== undefined)
    throw new Failure('invalid_parameter', '--format does not apply to the content of one item')
  const endpoint = isContent ? content : first
  const format = isContent ? undefined : work.format
  // A badge drawn during the analysis would keep showing that.
  if (request.command.name === 'badge')
    for (const target of targetsOf(request)) await analysed(caller, target)
  const metric = request.parameters.get('metric')?.[0] ?? 'size'
  const path = endpoint.replace('{metric}', encodeURIComponent(metric))
  const question = { ...(await questionOf(context, work, endpoint)), path }
  const steps = STEPS.get(request.command.name)
  if (steps !== undefined && caller.watches) await stepsDone(caller, question, steps)
  // What is read without an analysis waits for none.
  const response = await ask(caller, steps === undefined ? question : { ...question, targets: [] })
  if (request.command.name === 'config') {
    const text = await response.text()
    await output.write(format === 'text' ? `${safeJson(text)}\n` : text)
  } else if (request.command.name === 'dockerfile') await output.write(safeText(await response.text()))
  else {
    await pour(response, output)
    if (format === 'json') await output.write('\n')
  }
}

/** A list that is made of the report, and for the history of the config. */
async function steps(context: Context, work: Work): Promise<void> {
  const { caller, request, format = 'text', output } = work
  const { historyOf, layersOf } = await import('./steps.ts')
  const { itemList } = await import('./item-list.ts')
  const { query: _, ...question } = await questionOf(context, { ...work, format: 'json' }, '/v1/report')
  const query = new URLSearchParams([...paramsOf(request)])
  const read = async (path: string) => (await ask(caller, { ...question, path, query })).json()
  const report = await read('/v1/report')
  query.delete('read')
  const isHistory = request.command.name === 'history'
  // As with `--no-trunc`: steps are whole.
  const width = isHistory ? Number.POSITIVE_INFINITY : columnsOf(context.env)
  const style = { colour: hasColour(context.env, request), width }
  const texts = isHistory
    ? itemList(historyOf(report, await read('/v1/config')), format, style)
    : itemList(layersOf(report), format, style)
  for await (const text of texts) await output.write(text)
}

async function pour(response: Response, output: Output): Promise<void> {
  for await (const chunk of response.body ?? []) await output.write(chunk)
}

async function check(context: Context, work: Work): Promise<number> {
  const { caller, request, format, output } = work
  const asked = { ...(await questionOf(context, work, '/v1/check')), answers: [RULE_BROKEN] }
  const question = await allowFirstRun(caller, request, asked)
  if (question === undefined) {
    await commentOnCheck(context, work, undefined)
    return 0
  }
  try {
    const response = await ask(caller, question)
    await pour(response, output)
    if (format === 'json' || format === 'gitlab' || format === 'sarif') await output.write('\n')
    await commentOnCheck(context, work, question)
    return response.status === RULE_BROKEN ? 1 : 0
  } catch (error) {
    if (!(error instanceof Failure) || !MACHINE_FORMATS.has(format ?? '')) throw error
    // Asked again of the engine.
    if (await isInEngine(request, error, context)) throw error
    const answer = await send(caller, question, '*/*')
    if (answer.status < 400 || answer.headers.get('content-type')?.includes('problem+json')) throw error
    await pour(answer, output)
    await output.finish()
    process.stderr.write(`${error.line}\n`)
    return request.command.kind === 'gate' ? 2 : 0
  }
}

/** @param question undefined if no rule was checked */
async function commentOnCheck(
  context: Context,
  work: Work,
  question: ApiQuestion | undefined,
): Promise<void> {
  const { caller, request } = work
  if (!request.settings.comment) return
  const named = request.parameters.get('baseline')?.[0]
  // A missing one is no target of the question.
  const targets = question?.targets ?? targetsOf(request).filter(({ image }) => image !== named)
  const [image] = targets
  if (image === undefined) return
  const baseline = named === undefined ? undefined : targets.find((one) => one.image === named)
  const verdict = question && (await (await ask(caller, asJson(question))).text())
  await writeComment(context, work, {
    image,
    baseline,
    isFirst: named !== undefined && baseline === undefined,
    verdict,
  })
}

function asJson(question: ApiQuestion): ApiQuestion {
  const query = new URLSearchParams(question.query)
  query.set('format', 'json')
  return { ...question, query }
}

async function writeComment(
  { env }: Context,
  { caller, request, named }: Work,
  question: Omit<CommentQuestion, 'history'>,
): Promise<void> {
  const {
    history,
    historyTags,
    commentThreshold: threshold,
    server = env.LAMINA_SERVER || undefined,
  } = request.settings
  const [{ comment }, { readHistory }] = await Promise.all([
    import('./comment/command.ts'),
    import('./comment/facts.ts'),
  ])
  const asked = { ...question, history: readHistory(history, historyTags) }
  const warn = (line: string) => void process.stderr.write(`lamina: ${terminalText(line)}\n`)
  const warning = await comment(caller, asked, { env, threshold, server, named, warn })
  if (warning !== undefined) warn(warning)
}

/** The same question without growth, if the baseline may be missing and is. Undefined if nothing else remains to be checked. */
async function allowFirstRun(
  caller: ApiCaller,
  { parameters, settings }: Request,
  question: ApiQuestion,
): Promise<ApiQuestion | undefined> {
  const baseline = parameters.get('baseline')?.[0]
  if (!settings.allowMissingBaseline || baseline === undefined) return question
  if (await isThere(caller, baseline, parameters.get('platform')?.[0])) return question
  process.stderr.write(
    `lamina: the baseline ${terminalText(baseline)} does not exist: growth is not checked\n`,
  )
  const targets = (question.targets ?? []).filter(({ image }) => image !== baseline)
  if (question.body !== undefined) {
    const { policy = {}, ...body } = JSON.parse(question.body)
    const left = withoutGrowth(policy)
    return left && { ...question, targets, body: JSON.stringify({ ...body, policy: left }) }
  }
  const words = Object.fromEntries([...parameters].filter(([name]) => !NOT_OF_POLICY.has(name)))
  if (withoutGrowth(words) === undefined) return undefined
  const query = new URLSearchParams(question.query)
  for (const name of ['baseline', ...GROWTH_RULES]) query.delete(name)
  return { ...question, targets, query }
}

/** Parameters of the gate that are not part of a policy. */
const NOT_OF_POLICY = new Set(['image', 'platform', 'file', 'advice', 'read'])

async function diff(context: Context, work: Work): Promise<number> {
  const { caller, request } = work
  const { files, inside, exitCode, comment } = request.settings
  if (files && inside) throw new Failure('usage', 'use either --files or --inside')
  if (inside) await list(context, work, '/v1/diff/inside')
  else if (files) await list(context, work, '/v1/diff/files')
  else await writeDiff(context, work)
  const [from, to] = targetsOf(request)
  if (comment && from !== undefined && to !== undefined)
    await writeComment(context, work, { image: to, baseline: from, isFirst: false })
  if (!exitCode) return 0
  // Without the parameters of the list.
  const query = new URLSearchParams(
    [...paramsOf(request)].filter(([name]) => /^(?:from|to)(?:Platform)?$|^read$/.test(name)),
  )
  const question = { path: '/v1/diff', targets: targetsOf(request), accept: 'application/json' }
  const { identical }: { identical?: unknown } = await (await ask(caller, { ...question, query })).json()
  return identical === true ? 0 : 1
}

async function writeDiff(context: Context, work: Work): Promise<void> {
  const { caller, format, output } = work
  if (format === 'ndjson' || format === 'csv')
    throw new Failure('invalid_parameter', `--format ${format} is for lists: add --files or --inside PATH`)
  const response = await ask(caller, await questionOf(context, work, '/v1/diff'))
  await pour(response, output)
  if (format === 'json') await output.write('\n')
}

/** The whole list, unless a page is requested. */
async function list(context: Context, work: Work, endpoint: string): Promise<void> {
  const { caller, request, format = 'text', output } = work
  const line = lineOf(endpoint === '/v1/diff/files' ? 'changes' : request.command.name)
  const isPage = request.parameters.has('limit') || request.parameters.has('cursor')
  const own = format === 'json' || format === 'ndjson' || (format === 'text' && line !== undefined)
  const question = await questionOf(context, work, endpoint)
  if (!own) {
    await pour(await ask(caller, question), output)
    return
  }
  question.query?.delete('format')
  if (isPage || endpoint === '/v1/platforms') {
    const text = await (await ask(caller, { ...question, accept: 'application/json' })).text()
    if (format === 'json') return output.write(`${text}\n`)
    const { items = [] }: { items?: readonly unknown[] } = JSON.parse(text)
    for (const item of items)
      await output.write(format === 'text' && line !== undefined ? line(item) : `${toJson(item)}\n`)
    return
  }
  const response = await ask(caller, { ...question, accept: 'application/x-ndjson' })
  if (format === 'ndjson') return pour(response, output)
  if (format === 'text' && line !== undefined) {
    for await (const lines of lineBatches(response))
      await output.write(lines.map((json) => line(JSON.parse(json))).join(''))
    return
  }
  const facts = WITH_FACTS.has(endpoint) ? await factsOf(caller, question) : '{'
  let before = `${facts}"items":[`
  for await (const lines of lineBatches(response)) {
    await output.write(before + lines.join(','))
    before = ','
  }
  await output.write(`${before === ',' ? '' : before}]}\n`)
}

/** Lists whose JSON says more than the items. */
const WITH_FACTS: ReadonlySet<string> = new Set(['/v1/inside', '/v1/diff/inside'])

/** The beginning of the answer's JSON, up to its items. */
async function factsOf(caller: ApiCaller, question: ApiQuestion): Promise<string> {
  const query = new URLSearchParams(question.query)
  query.set('limit', '1')
  const response = await ask(caller, { ...question, query, accept: 'application/json' })
  const { items: _, nextCursor: __, ...facts }: Record<string, unknown> = JSON.parse(await response.text())
  return `${toJson(facts).slice(0, -1)},`
}

async function bundle(caller: ApiCaller, request: Request): Promise<number> {
  const folder = request.parameters.get('folder')?.[0] ?? request.settings.output
  if (folder === undefined)
    throw new Failure('usage', 'name a folder that does not exist yet: lamina bundle IMAGE FOLDER')
  const query = new URLSearchParams([...paramsOf(request)].filter(([name]) => name !== 'folder'))
  await unpack(folder, caller.signal, () =>
    ask(caller, { path: '/v1/bundle', query, targets: targetsOf(request) }),
  )
  return 0
}

/** Those whose JSON is a page, and never has more items than one may have. */
const WHOLE_LISTS: ReadonlySet<string> = new Set(['/v1/storage', '/v1/attached'])

async function questionOf({ api, env }: Context, work: Work, endpoint: string): Promise<ApiQuestion> {
  const { request, format } = work
  const needsPath = endpoint === '/v1/file' || endpoint === '/v1/inside'
  if (needsPath && !request.parameters.has('path') && !request.parameters.has('pathBase64'))
    throw new Failure('usage', `name a file of the image: lamina ${request.command.name} IMAGE PATH`)
  const known = new Set((api[endpoint] ?? []).map(({ name }) => name))
  const query = new URLSearchParams([...paramsOf(request)].filter(([name]) => name !== 'metric'))
  for (const name of query.keys())
    if (known.size > 0 && !known.has(name))
      throw new Failure('invalid_parameter', `${flagOf(name)} does not apply here`)
  if (format !== undefined && known.has('format')) query.set('format', format)
  if (format === 'text' && known.has('columns')) query.set('columns', String(columnsOf(env)))
  if (format === 'text' && known.has('color') && !query.has('color') && hasColour(env, request))
    query.set('color', '1')
  // Lists are whole.
  if (WHOLE_LISTS.has(endpoint) && format === 'json' && !query.has('limit')) query.set('limit', '1000')
  // Waits here for a missing analysis, to show its progress.
  if (request.command.kind === 'gate') query.set('wait', '0')
  const question = { path: endpoint, query, targets: targetsOf(request) }
  return request.settings.policy || request.settings.diveCi || request.settings.dockerfile
    ? posted(question, request)
    : question
}

/** Parameters about the image, not part of a policy. */
const ABOUT_IMAGE = new Set(['image', 'platform', 'read'])

/** The body: the rules, or the Dockerfile, from a file, and all parameters except those about the answer's form. */
async function posted(
  question: ApiQuestion & { readonly query: URLSearchParams },
  request: Request,
): Promise<ApiQuestion> {
  const { policy, diveCi, dockerfile } = request.settings
  const form = new Set(['format', 'color', 'columns', 'wait', 'file', 'advice'])
  const query = new URLSearchParams([...question.query].filter(([name]) => form.has(name)))
  const rules = new Map<string, string | string[]>()
  const body: Record<string, unknown> = {}
  for (const name of new Set(question.query.keys())) {
    if (form.has(name)) continue
    const values = question.query.getAll(name)
    const isList = ['deny', 'denyShown', 'ignore', 'historyTag'].includes(name)
    const value = isList ? values : (values[0] ?? '')
    if (request.command.name === 'advice' || ABOUT_IMAGE.has(name)) body[name] = value
    else rules.set(name, value)
  }
  if (policy !== undefined) {
    const read: unknown = parsedPolicy(await readText(policy), policy)
    const given = typeof read === 'object' && read !== null ? read : {}
    const twice = [...rules.keys()].find((name) => name in given)
    if (twice !== undefined)
      throw new Failure('invalid_parameter', `${flagOf(twice)} is in ${policy} as well`)
    body.policy = { ...given, ...Object.fromEntries(rules) }
  } else if (rules.size > 0) body.policy = Object.fromEntries(rules)
  if (diveCi !== undefined) body.diveCi = await readText(diveCi)
  if (dockerfile !== undefined) body.dockerfile = await readText(dockerfile)
  return { ...question, query, body: JSON.stringify(body) }
}

function parsedPolicy(text: string, file: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 })
  } catch {
    throw new Failure('invalid_parameter', `${file} is neither JSON nor YAML`)
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file === '-' ? '/dev/stdin' : file, 'utf8')
  } catch (error) {
    throw new Failure('input_error', `cannot read ${file}: ${systemReason(error)}`)
  }
}

function* paramsOf({ parameters }: Request): Generator<[string, string]> {
  for (const [name, values] of parameters) for (const value of values) yield [name, value]
}

/** The images that must be analysed for an answer. */
export function targetsOf({ parameters }: Request): readonly Target[] {
  const platform = parameters.get('platform')?.[0]
  const read = parameters.get('read')?.[0]
  const of = (name: string, on = platform) =>
    (parameters.get(name) ?? []).map((image) => ({ image, platform: on, read }))
  return [
    ...of('image'),
    ...of('from', parameters.get('fromPlatform')?.[0]),
    ...of('to', parameters.get('toPlatform')?.[0]),
    ...of('baseline'),
  ]
}

const COLUMNS = { least: 60, most: 400, usual: 80 }

function columnsOf(env: Context['env']): number {
  const asked = Number(env.COLUMNS || process.stdout.columns || COLUMNS.usual)
  return Number.isInteger(asked) ? Math.min(Math.max(asked, COLUMNS.least), COLUMNS.most) : COLUMNS.usual
}

function hasColour(env: Context['env'], { settings }: Request): boolean {
  return process.stdout.isTTY && settings.output === undefined && !env.NO_COLOR && env.TERM !== 'dumb'
}
