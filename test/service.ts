/** Both hosts, started for tests: what runs here is what `npm start` and `npm run start:node` run. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWorker } from '../workers/cloudflare/miniflare.ts'
import { startNode } from '../workers/node/service.ts'

export const HOSTS = ['worker', 'node'] as const
export type HostName = (typeof HOSTS)[number]

export type TestService = {
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** Folder of its data, removed when it stops. */
  readonly data: string
  stop(): Promise<void>
}

const START = { worker: startWorker, node: startNode }

/** Loopback registries are allowed over plain http, unless `settings` say otherwise. */
export async function startService(
  host: HostName,
  settings: Record<string, string> = {},
): Promise<TestService> {
  const data = await mkdtemp(join(tmpdir(), 'lamina-'))
  const { url, stop } = await START[host]({
    HOST: '127.0.0.1',
    PORT: '0',
    LAMINA_DATA: data,
    LAMINA_PRIVATE_REGISTRIES: '127.0.0.0/8',
    LAMINA_INSECURE_REGISTRIES: '127.0.0.0/8',
    ...settings,
  })
  return {
    url,
    data,
    async stop() {
      await stop()
      await rm(data, { recursive: true, force: true })
    },
  }
}
