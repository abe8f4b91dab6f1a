/** Asks until there is an answer: waits for an image that is not analysed yet, and shows the progress. */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { parseJson } from '../src/text/json.ts'
import type { Client, Question } from './client.ts'
import { failureOf, problemCode } from './problem.ts'
import type { ProgressLine } from './progress.ts'

export type Target = {
  readonly image: string
  readonly platform?: string | undefined
  /** How it is read: another way is another analysis. */
  readonly read?: string | undefined
}

export type ApiCaller = {
  readonly client: Client
  /** Sent with every request: credentials for registries. */
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly progress: ProgressLine
  /** Whether progress is shown. */
  readonly watches: boolean
}

export type ApiQuestion = {
  readonly path: string
  readonly query?: URLSearchParams
  readonly accept?: string
  readonly body?: string
  /** The images that the question is about. */
  readonly targets?: readonly Target[]
  /** Statuses of 400 and above that count as answers. */
  readonly answers?: readonly number[]
}

/** This program reads problems, whatever form the answer has. */
const PROBLEM = 'application/problem+json'
/** How many seconds one request waits. */
const WAIT_SECONDS = 60
const POLL_MILLISECONDS = 200
/** Delay before a question is repeated that could not be answered without an analysis. */
const PENDING_MILLISECONDS = 1_000

/** @throws Failure if there is no answer */
export async function ask(caller: ApiCaller, question: ApiQuestion): Promise<Response> {
  for (;;) {
    const response = await send(caller, question)
    const { status } = response
    if (status < 400 && status !== 202) return response
    if (question.answers?.includes(status)) return response
    if (!(await isStillPending(response))) throw await failureOf(response, caller.client.reader)
    await response.body?.cancel()
    for (const target of question.targets ?? []) await analysed(caller, target)
    if ((question.targets ?? []).length === 0)
      await sleep(PENDING_MILLISECONDS, undefined, { signal: caller.signal })
  }
}

/** The image is being analysed, or an engine is still saving it. */
async function isStillPending(response: Response): Promise<boolean> {
  const { status } = response
  return status === 202 || (status === 503 && (await problemCode(response)) === 'analysis_pending')
}

/** The same, with problems in the answer's own form. */
export function send(
  caller: ApiCaller,
  question: ApiQuestion,
  accept = accepted(question.accept),
): Promise<Response> {
  const { client, headers, signal } = caller
  const { path, query, body } = question
  const init: Question = {
    ...(body === undefined ? {} : { method: 'POST', body }),
    headers: { ...headers, accept, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    signal,
  }
  const search = query?.toString() ?? ''
  return client.request(search === '' ? path : `${path}?${search}`, init)
}

function accepted(type = '*/*'): string {
  return `${type}, ${PROBLEM}`
}

const progressSchema = z.object({
  layers: z.number(),
  layersDone: z.number(),
  bytes: z.number(),
  bytesDone: z.number(),
  reading: z.array(z.object({ layer: z.number(), bytes: z.number(), bytesDone: z.number() })).optional(),
  waiting: z.array(z.number()).optional(),
})

export type AnalysisProgress = z.output<typeof progressSchema>

const stateSchema = z.object({
  id: z.string().optional(),
  status: z.string().optional(),
  progress: progressSchema,
})
type AnalysisState = z.output<typeof stateSchema>

/** Undefined if the answer is not about an analysis. */
export async function stateIn(response: Response): Promise<AnalysisState | undefined> {
  return stateSchema.safeParse(parseJson(await response.text())).data
}

/**
 * The progress of an analysis, from what is known of it now until it ends or nobody knows it any more. What became of it, the
 * next question tells.
 */
export async function* progressOf(
  caller: ApiCaller,
  { id, progress }: AnalysisState,
  signal: AbortSignal,
): AsyncGenerator<AnalysisProgress, void> {
  yield progress
  while (id !== undefined) {
    await sleep(POLL_MILLISECONDS, undefined, { signal })
    const state = await stateIn(
      await send(caller, { path: `/v1/analyses/${id}`, accept: 'application/json' }),
    )
    if (state === undefined || state.status === 'succeeded' || state.status === 'failed') return
    yield state.progress
  }
}

/** Resolves when the image is analysed. @throws Failure if it cannot be */
export async function analysed(caller: ApiCaller, target: Target): Promise<void> {
  const done = new AbortController()
  const shown = caller.watches ? show(caller, target, done.signal).catch(() => {}) : undefined
  const query = new URLSearchParams({ image: target.image, wait: String(WAIT_SECONDS) })
  for (const name of ['platform', 'read'] as const)
    if (target[name] !== undefined) query.set(name, target[name])
  try {
    for (;;) {
      const response = await send(caller, { path: '/v1/report', query, accept: 'application/json' })
      const isPending = await isStillPending(response)
      if (!isPending && response.status >= 400) throw await failureOf(response, caller.client.reader)
      await response.body?.cancel()
      if (!isPending) return
      if (response.status === 503) await sleep(PENDING_MILLISECONDS, undefined, { signal: caller.signal })
    }
  } finally {
    done.abort()
    await shown
    caller.progress.clear()
  }
}

/** What an endpoint reads itself while it answers 202. */
export type Steps = 'tags' | 'layers'

/** Seconds of reading between two figures. */
const STEP_SECONDS = 1

/** Resolves when the endpoint has read all of them; shows how many are. */
export async function stepsDone(
  caller: ApiCaller,
  { path, query }: ApiQuestion,
  steps: Steps,
): Promise<void> {
  const schema = z.object({ [steps]: z.number(), [`${steps}Done`]: z.number() })
  const step = new URLSearchParams(query)
  for (const name of ['format', 'limit', 'cursor', 'color', 'columns']) step.delete(name)
  step.set('wait', String(STEP_SECONDS))
  if (steps === 'tags') step.set('limit', '1')
  try {
    for (;;) {
      const response = await send(caller, { path, query: step, accept: 'application/json' })
      if (await isStillPending(response)) {
        const read = schema.safeParse(parseJson(await response.text())).data
        const { [steps]: all, [`${steps}Done`]: done } = read ?? {}
        if (all !== undefined && done !== undefined) caller.progress.showRead(steps, { done, all })
        if (response.status === 503) await sleep(PENDING_MILLISECONDS, undefined, { signal: caller.signal })
        continue
      }
      if (response.status >= 400) throw await failureOf(response, caller.client.reader)
      await response.body?.cancel()
      return
    }
  } finally {
    caller.progress.clear()
  }
}

/** Shows the progress until `done`. */
async function show(caller: ApiCaller, target: Target, done: AbortSignal): Promise<void> {
  const first = await stateIn(await send(caller, { path: '/v1/analyses', body: JSON.stringify(target) }))
  if (first === undefined) return
  for await (const progress of progressOf(caller, first, done)) {
    if (done.aborted) return
    caller.progress.show(target.image, progress)
  }
}
