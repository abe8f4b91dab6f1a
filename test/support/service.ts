/** Both hosts, started for tests as `npm start` and `npm run start:node` start them. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ObjectStore } from '../../src/host.ts'

export const HOSTS = ['worker', 'node'] as const
export type HostName = (typeof HOSTS)[number]

/** Flags for the Node host, as in `npm run start:node`, the Dockerfile and docs/deploy.md. */
export const NODE_FLAGS = ['--max-semi-space-size=16']
const NODE_ENVIRONMENT = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' }

/** Code that is compiled once for all tests: without it each process takes three times as long to start. */
export const COMPILED = { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '' }

export type TestService = {
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** The folder of its data, removed when it stops. */
  readonly data: string
  /** Its store in that folder: its bucket or its files. */
  store(): Promise<ObjectStore>
  stop(): Promise<void>
}

const ENTRY = {
  worker: new URL('../../workers/cloudflare/start.ts', import.meta.url),
  node: new URL('../../workers/node/start.ts', import.meta.url),
}

/** Loopback registries are allowed over plain http, unless other settings say otherwise. */
export const SETTINGS = {
  HOST: '127.0.0.1',
  PORT: '0',
  LAMINA_PRIVATE_REGISTRIES: '127.0.0.0/8',
  LAMINA_INSECURE_REGISTRIES: '127.0.0.0/8',
  LAMINA_DRAIN_SECONDS: '0',
}

export function temporaryData(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'lamina-'))
}

/** A service in this process with a new data folder. */
export async function startService(
  host: HostName,
  settings: Record<string, string> = {},
): Promise<TestService> {
  const data = await temporaryData()
  const { url, store, stop } = await START[host]({ ...SETTINGS, LAMINA_DATA: data, ...settings }, data)
  return {
    url,
    data,
    store,
    async stop() {
      await stop()
      await rm(data, { recursive: true, force: true })
    },
  }
}

type Started = Pick<TestService, 'url' | 'store' | 'stop'>

/** A host's code is loaded only by tests that start it in their own process: that takes most of a second. */
const START: Record<HostName, (env: Record<string, string>, data: string) => Promise<Started>> = {
  async worker(env) {
    const { startWorker } = await import('../../workers/cloudflare/miniflare.ts')
    const { R2Store } = await import('../../workers/cloudflare/r2-store.ts')
    const { url, bucket, stop } = await startWorker(env)
    return { url, store: async () => new R2Store(await bucket()), stop }
  },
  async node(env, data) {
    const { startNode } = await import('../../workers/node/service.ts')
    const { FolderStore } = await import('../../workers/node/store/folder-store.ts')
    return { ...(await startNode(env)), store: async () => new FolderStore(data) }
  },
}

export type SpawnedService = {
  readonly url: string
  readonly pid: number
  /** Everything it has printed so far. */
  readonly output: () => string
  /** Sends the signal to all its processes, and waits for its end. @returns the exit code, null if a signal ended it */
  end(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<number | null>
  /** Kills only workerd, as a system that runs out of memory does; Miniflare restarts it. */
  killRuntime(): Promise<void>
}

/**
 * A service in a separate process, as `npm start` and `npm run start:node` run it.
 *
 * @param host or the file that starts it
 * @param data the folder of its data, which outlives it
 * @param flags of Node
 */
export function spawnService(
  host: HostName | URL,
  data: string,
  settings: Record<string, string> = {},
  flags: readonly string[] = [],
): Promise<SpawnedService> {
  const main = fileURLToPath(host instanceof URL ? host : ENTRY[host])
  // Bundles are in new folders each time: their compiled code is of no use to another run.
  const cache = main.endsWith('.ts') ? COMPILED : {}
  return spawnCommand([process.execPath, ...flags, main], data, { ...cache, ...settings })
}

/** A service that a command starts in the project's folder. */
export async function spawnCommand(
  [command = '', ...args]: readonly string[],
  data: string,
  settings: Record<string, string> = {},
): Promise<SpawnedService> {
  const child = spawn(command, args, {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    detached: true,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...NODE_ENVIRONMENT,
      ...SETTINGS,
      LAMINA_DATA: data,
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stderr.on('data', (text) => {
    output += text
  })
  const exited = once(child, 'exit')
  const listening = Promise.withResolvers<string>()
  createInterface(child.stdout).on('line', (line) => {
    output += `${line}\n`
    const url = /Lamina listens on (\S+)/.exec(line)?.[1]
    if (url !== undefined) listening.resolve(url)
  })
  exited.then(() => listening.reject(new Error(`${command} ${args.join(' ')} did not start: ${output}`)))
  const url = await listening.promise
  const { pid } = child
  if (pid === undefined) throw new Error(`${command} has no process`)
  return {
    url,
    pid,
    output: () => output,
    async end(signal) {
      // A kill takes the runtime's process with it; any other signal goes to the service alone, like a shell's `kill`.
      process.kill(signal === 'SIGKILL' ? -pid : pid, signal)
      const [code] = await exited
      return code
    },
    async killRuntime() {
      const { stdout } = await promisify(execFile)('pgrep', ['-P', `${pid}`, 'workerd'])
      process.kill(Number(stdout), 'SIGKILL')
    },
  }
}
