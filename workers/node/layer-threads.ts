/** Layers on all cores: a pool of threads that each index one layer at a time. */
import { MessageChannel } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { LayerJob, Progress } from '../../src/job.ts'
import { Problem } from '../../src/problem.ts'
import type { Authorization } from '../../src/source/registry/auth/token.ts'
import type { LayerOutcome, LayerTask } from './layer-thread.ts'
import type { Metrics } from './metrics.ts'

const IDLE_MILLISECONDS = 30_000

/** Beside this file, as TypeScript or as what the bundle makes of it. */
const THREAD = new URL(`./layer-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)

export class LayerThreads {
  readonly #metrics: Metrics
  readonly #pool: Piscina<LayerTask, LayerOutcome>

  /**
   * @param env the service's settings, which each thread reads again
   * @param metrics told of what each thread did
   */
  constructor(threads: number, env: Readonly<Record<string, string | undefined>>, metrics: Metrics) {
    this.#metrics = metrics
    this.#pool = new Piscina({
      filename: THREAD.href,
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: IDLE_MILLISECONDS,
      workerData: { env: { ...env } },
    })
  }

  /** @param authorization what the main thread's client sends to the job's registry, if it had to send any */
  async run(
    job: LayerJob,
    authorization: Authorization | undefined,
    report: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { port1, port2 } = new MessageChannel()
    port1.on('message', report)
    const abandon = () => port1.postMessage('abandon')
    signal.addEventListener('abort', abandon, { once: true })
    try {
      const { work, problem, operations } = await this.#pool.run(
        { job, progress: port2, ...(authorization ? { authorization } : {}) },
        { transferList: [port2] },
      )
      for (const operation of operations) this.#metrics.stored(operation)
      if (work !== undefined) this.#metrics.layer(work)
      if (problem !== undefined) throw Problem.from(problem)
    } finally {
      signal.removeEventListener('abort', abandon)
      port1.close()
    }
  }

  stop(): Promise<void> {
    return this.#pool.destroy()
  }
}
