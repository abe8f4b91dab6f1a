/** The inside of a thread: it does one task at a time, and says what becomes of it. */
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { type Configuration, parseConfiguration } from '../../src/configuration.ts'
import { Problem } from '../../src/problem.ts'
import type { FromThread, ThreadData, ToThread } from './threads.ts'

/** Below the thread that answers requests, which needs little and needs it at once. */
const NICE = 5
const PULSE_MILLISECONDS = 250

export type Caller<Word, Said> = {
  say(said: Said, transfer?: readonly ArrayBuffer[]): void
  /** The next thing that is said to this task. */
  heard(): Promise<Word>
  /** Aborted when nobody waits for the task any more. */
  readonly signal: AbortSignal
}

const { env, pulse }: ThreadData = workerData

export function threadConfiguration(): Configuration {
  return parseConfiguration(env, 'node')
}

/** Does the tasks that this thread is sent, as long as it lives. */
export function serveTasks<Task, Outcome, Word = never, Said = never>(
  run: (task: Task, caller: Caller<Word, Said>) => Promise<Outcome>,
): void {
  const port = parentPort
  if (port === null) throw new Error('this is to be run as a thread')
  lowerPriority()
  const turns = new Int32Array(pulse)
  let abort = new AbortController()
  let words: Words<Word> = new Words()
  const send = (message: FromThread<Outcome, Said>, transfer: readonly ArrayBuffer[] = []) =>
    port.postMessage(message, [...transfer])
  const work = async (task: Task) => {
    abort = new AbortController()
    words = new Words()
    const beat = setInterval(() => Atomics.add(turns, 0, 1), PULSE_MILLISECONDS)
    try {
      const { signal } = abort
      const { heard } = words
      const say = (said: Said, transfer?: readonly ArrayBuffer[]) => send({ kind: 'said', said }, transfer)
      send({ kind: 'outcome', outcome: await run(task, { say, heard, signal }) })
    } catch (error) {
      send(
        error instanceof Problem
          ? { kind: 'problem', problem: error.toDocument() }
          : { kind: 'error', error },
      )
    } finally {
      clearInterval(beat)
    }
  }
  port.on('message', (message: ToThread<Task, Word>) => {
    switch (message.kind) {
      case 'task':
        void work(message.task)
        break
      case 'word':
        words.add(message.word)
        break
      case 'abort':
        abort.abort()
    }
  })
}

/** On Linux a thread has a priority of its own; elsewhere it may not be possible, and is not needed. */
function lowerPriority(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(NICE)
  } catch {
    // Refused: then all threads are alike.
  }
}

/** What was said and not heard yet, in order. */
class Words<Word> {
  readonly #said: Word[] = []
  readonly #waiting: ((word: Word) => void)[] = []

  add(word: Word): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#said.push(word)
    else next(word)
  }

  readonly heard = (): Promise<Word> => {
    const word = this.#said.shift()
    return word === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(word)
  }
}
