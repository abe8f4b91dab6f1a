/** Layers on all cores: a pool of threads that each index one layer at a time. */
import { MessageChannel } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { LayerJob, Progress } from '../../src/analysis/job.ts'
import { Problem } from '../../src/problem.ts'
import type { LayerOutcome, LayerTask } from './layer-thread.ts'

const IDLE_MILLISECONDS = 30_000

export class LayerThreads {
  readonly #pool: Piscina<LayerTask, LayerOutcome>

  /** @param env the service's settings, which each thread reads again */
  constructor(threads: number, env: Readonly<Record<string, string | undefined>>) {
    this.#pool = new Piscina({
      filename: new URL('./layer-thread.ts', import.meta.url).href,
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: IDLE_MILLISECONDS,
      workerData: { env: { ...env } },
    })
  }

  async run(job: LayerJob, report: (progress: Progress) => void): Promise<void> {
    const { port1, port2 } = new MessageChannel()
    port1.on('message', report)
    try {
      const { problem } = await this.#pool.run({ job, progress: port2 }, { transferList: [port2] })
      if (problem !== undefined) throw Problem.from(problem)
    } finally {
      port1.close()
    }
  }

  stop(): Promise<void> {
    return this.#pool.destroy()
  }
}
