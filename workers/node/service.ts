/** The service on Node: a folder or S3 as its store, undici as its way out, layers on all cores. */
import { availableParallelism } from 'node:os'
import { serve } from '@hono/node-server'
import { runImageJob } from '../../src/analysis/image-job.ts'
import { JobRunner } from '../../src/analysis/runner.ts'
import { parseConfiguration } from '../../src/configuration.ts'
import { createApp } from '../../src/http/app.ts'
import { createService } from './host.ts'
import { LayerThreads } from './layer-threads.ts'

const QUEUED_ANALYSES = 100

export type RunningNode = {
  /** `http://host:port` */
  readonly url: string
  /** Stops accepting, and resolves when what runs has finished. */
  stop(): Promise<void>
}

/**
 * @param env the service's settings, as environment variables
 * @param threads layers that are indexed at the same time
 * @throws Error naming the variable whose value is wrong
 */
export async function startNode(
  env: Readonly<Record<string, string | undefined>>,
  threads = availableParallelism(),
): Promise<RunningNode> {
  const configuration = parseConfiguration(env, 'node')
  const layers = new LayerThreads(threads, env)
  const runner = new JobRunner(
    (job, report) => (job.kind === 'layer' ? layers.run(job, report) : runImageJob(service, job, report)),
    { analyses: configuration.maxAnalyses, queuedAnalyses: QUEUED_ANALYSES, layers: threads },
  )
  const service = createService(configuration, runner)
  const app = createApp(service)
  const listening = Promise.withResolvers<number>()
  const server = serve(
    { fetch: app.fetch, hostname: configuration.host, port: configuration.port },
    ({ port }) => listening.resolve(port),
  )
  server.on('error', listening.reject)
  const host = configuration.host.includes(':') ? `[${configuration.host}]` : configuration.host
  return {
    url: `http://${host}:${await listening.promise}`,
    async stop() {
      const closed = new Promise<void>((done) => server.close(() => done()))
      await runner.idle()
      if ('closeAllConnections' in server) server.closeAllConnections()
      await closed
      await layers.stop()
    },
  }
}
