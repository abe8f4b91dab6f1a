/** The inside of a thread: it does one task at a time, and reports the outcome. */
import { setPriority } from 'node:os'
import { parentPort, type Transferable, threadId, workerData } from 'node:worker_threads'
import { READING } from '../../../src/layer/decode/zstd-memory.ts'
import { Problem } from '../../../src/problem.ts'
import { ThreadTurn } from './thread-turn.ts'
import type { FromThread, ThreadData, ToThread } from './threads.ts'

/** Below the thread that answers requests, which needs little CPU time, but at once. */
const NICE = 5
const PULSE_MILLISECONDS = 250

export type TaskCaller<Message, Said> = {
  /** @param transfer what the message moves to the main thread */
  readonly say: (said: Said, transfer?: readonly Transferable[]) => void
  /** Registers a listener for messages to this task. */
  readonly listen: (listener: (message: Message) => void) => void
  /** Aborted when the task is cancelled. */
  readonly signal: AbortSignal
}

/** The task that the thread does, or did last. */
type CurrentTask<Message> = {
  readonly number: number
  readonly abort: AbortController
  hear: (message: Message) => void
}

type Unnumbered<Message> = Message extends unknown ? Omit<Message, 'number'> : never

const { pulse, turn }: ThreadData = workerData

READING.share(new ThreadTurn(turn, threadId))

lowerPriority()

/** Does the tasks sent to this thread, as long as it lives. */
export function serveTasks<Task, Outcome, Message = never, Said = never>(
  run: (task: Task, caller: TaskCaller<Message, Said>) => Promise<Outcome>,
): void {
  const port = parentPort
  if (port === null) throw new Error('this file must be run as a thread')
  const turns = new Int32Array(pulse)
  let current: CurrentTask<Message> | undefined
  const work = async (number: number, task: Task) => {
    const send = (message: Unnumbered<FromThread<Outcome, Said>>, transfer: readonly Transferable[] = []) =>
      port.postMessage({ ...message, number }, transfer)
    const abort = new AbortController()
    const own: CurrentTask<Message> = { number, abort, hear: () => {} }
    current = own
    const beat = setInterval(() => Atomics.add(turns, 0, 1), PULSE_MILLISECONDS)
    try {
      const { signal } = abort
      const say: TaskCaller<Message, Said>['say'] = (said, transfer) => send({ kind: 'said', said }, transfer)
      const listen = (listener: (message: Message) => void) => {
        own.hear = listener
      }
      send({ kind: 'outcome', outcome: await run(task, { say, listen, signal }) })
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
  port.on('message', (message: ToThread<Task, Message>) => {
    if (message.kind === 'task') void work(message.number, message.task)
    else if (message.number !== current?.number) return
    else if (message.kind === 'message') current.hear(message.message)
    else current.abort.abort()
  })
}

/** Linux gives each thread a priority; elsewhere this may fail, and is not needed. */
function lowerPriority(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(NICE)
  } catch {
    // Refused: then all threads are alike.
  }
}
