/** Checks that a service keeps answering, however busy it and the test are. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export type Health = {
  /** How often `/healthz` answered. */
  readonly answers: number
  /** The longest that it took. */
  readonly longestMilliseconds: number
}

export type HealthWatch = {
  /** @throws if it failed once */
  stop(): Promise<Health>
}

export function watchHealth(url: string): HealthWatch {
  const thread = new Worker(new URL('./health-thread.ts', import.meta.url), { workerData: { url } })
  const told = once(thread, 'message')
  // Awaited at the end.
  told.catch(() => {})
  return {
    async stop() {
      thread.postMessage('stop')
      const [health] = await told
      await thread.terminate()
      return health
    },
  }
}

/** An answer, and how often `/healthz` answered until it came. */
export async function answersUntil(
  url: string,
  asked: Promise<Response>,
): Promise<{ readonly answer: Response; readonly answers: number }> {
  let isDone = false
  const done = asked.finally(() => {
    isDone = true
  })
  let answers = 0
  while (!isDone) {
    const health = await fetch(`${url}/healthz`)
    await health.arrayBuffer()
    answers++
  }
  return { answer: await done, answers }
}
