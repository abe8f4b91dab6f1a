/** Checks that a service keeps answering, however busy it and the test are. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export type HealthWatch = {
  /** @returns the longest that `/healthz` took, in milliseconds @throws if it failed once */
  stop(): Promise<number>
}

export function watchHealth(url: string): HealthWatch {
  const thread = new Worker(new URL('./health-thread.ts', import.meta.url), { workerData: { url } })
  const told = once(thread, 'message')
  // Awaited at the end.
  told.catch(() => {})
  return {
    async stop() {
      thread.postMessage('stop')
      const [longest] = await told
      await thread.terminate()
      return longest
    },
  }
}
