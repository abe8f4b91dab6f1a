/** What gets killed: each host with its store, and its parts that can die while the others go on. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseConfiguration } from '../../src/configuration.ts'
import type { ObjectStore } from '../../src/host.ts'
import { startWorker } from '../../workers/cloudflare/miniflare.ts'
import { R2Store } from '../../workers/cloudflare/r2-store.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'
import { S3Store } from '../../workers/node/store/s3-store.ts'
import { freePort } from '../support/ports.ts'
import { TestRedis } from '../support/redis.ts'
import { type HostName, SETTINGS, type SpawnedService, spawnService } from '../support/service.ts'
import { EVICT, RESET } from './worker-process.ts'

const SERVERS = 3
const S3_PROCESS = fileURLToPath(new URL('s3-process.ts', import.meta.url))
const WORKER_PROCESS = new URL('worker-process.ts', import.meta.url)
const THREAD_KILLER = fileURLToPath(new URL('thread-killer.ts', import.meta.url))
/** Anything older was left by a process that died. */
const LEFTOVER_MILLISECONDS = 25 * 3_600_000

/** Dies without warning, and starts again at the same address with its data. */
export type Part = {
  readonly name: string
  /** Requests in progress may be answered with 500 once. */
  readonly breaksWork?: true
  kill(): Promise<void>
  restart(): Promise<void>
}

export type CrashedHost = {
  /** Servers that accept requests, listed even while they are dead. */
  readonly urls: readonly string[]
  readonly parts: readonly Part[]
  /** What it has stored, read after all servers have ended: no other process may have it open. */
  finish(): Promise<ObjectStore>
  stop(): Promise<void>
}

type Server = {
  readonly url: string
  /** The ways in which it or a part of it can die. */
  readonly parts: readonly Part[]
  end(): Promise<void>
}

/** @param data an empty folder */
type StartHost = (data: string) => Promise<CrashedHost>

export const CRASHED_HOSTS: Readonly<Record<string, StartHost>> = {
  async worker(data) {
    const server = await startServer('worker', 'the Worker', data)
    let opened: Awaited<ReturnType<typeof startWorker>> | undefined
    return {
      urls: [server.url],
      parts: server.parts,
      async finish() {
        await server.end()
        opened = await startWorker({ ...SETTINGS, LAMINA_DATA: data })
        return new R2Store(await opened.bucket())
      },
      async stop() {
        await server.end()
        await opened?.stop()
      },
    }
  },

  async node(data) {
    const server = await startServer('node', 'the server', data)
    return {
      urls: [server.url],
      parts: server.parts,
      async finish() {
        await server.end()
        await age(data)
        return new FolderStore(data)
      },
      stop: () => server.end(),
    }
  },

  async s3(data) {
    const s3 = await startS3(data)
    const server = await startServer('node', 'the server', data, s3.settings)
    return {
      urls: [server.url],
      parts: [...server.parts, s3],
      async finish() {
        await server.end()
        return s3.store()
      },
      async stop() {
        await server.end()
        await s3.kill()
      },
    }
  },

  /** Three servers. */
  async redis(data) {
    const [redis, s3] = await Promise.all([TestRedis.start(), startS3(data)])
    const settings = {
      ...s3.settings,
      REDIS_URL: redis.url,
      LAMINA_KEY: randomBytes(32).toString('base64'),
    }
    const servers = await Promise.all(
      Array.from({ length: SERVERS }, (_, n) => startServer('node', `server ${n}`, data, settings)),
    )
    const end = () => Promise.all(servers.map((server) => server.end()))
    return {
      urls: servers.map(({ url }) => url),
      parts: [
        ...servers.flatMap(({ parts }) => parts),
        s3,
        { name: 'Redis', kill: () => redis.down(), restart: () => redis.up() },
      ],
      async finish() {
        await end()
        return s3.store()
      },
      async stop() {
        await end()
        await Promise.all([s3.kill(), redis.stop()])
      },
    }
  },
}

async function startServer(
  host: HostName,
  name: string,
  data: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const fixed = { ...settings, PORT: String(await freePort()) }
  let version = 1
  const start = () =>
    host === 'worker'
      ? spawnService(WORKER_PROCESS, data, { ...fixed, CRASH_VERSION: `${version}` })
      : spawnService(host, data, fixed, [`--import=${THREAD_KILLER}`])
  let running: SpawnedService | undefined = await start()
  const { url } = running
  const end = async (signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL') => {
    await running?.end(signal)
    running = undefined
  }
  const restart = async () => {
    running = await start()
  }
  const stays = async () => {}
  const tell = async (what: string) => {
    await (await fetch(url + what)).body?.cancel()
  }
  const parts: Readonly<Record<HostName, readonly Part[]>> = {
    worker: [
      {
        name: `the Durable Objects of ${name}`,
        kill: () => tell(RESET),
        restart: stays,
      },
      {
        name: `the Durable Objects of ${name} that rest`,
        kill: () => tell(EVICT),
        restart: stays,
      },
      {
        name: `the runtime of ${name}`,
        async kill() {
          await running?.killRuntime()
        },
        restart: stays,
      },
      {
        name: `${name} for another version`,
        async kill() {
          version++
          await end('SIGTERM')
        },
        restart,
      },
    ],
    node: [
      {
        name: `a thread of ${name}`,
        breaksWork: true,
        async kill() {
          if (running !== undefined) process.kill(running.pid, 'SIGUSR2')
        },
        restart: stays,
      },
    ],
  }
  return { url, end, parts: [{ name, kill: () => end(), restart }, ...parts[host]] }
}

type S3 = Part & { readonly settings: Readonly<Record<string, string>>; store(): ObjectStore }

async function startS3(data: string): Promise<S3> {
  const port = await freePort()
  let process: Awaited<ReturnType<typeof spawnS3>> | undefined = await spawnS3(port, data)
  const { settings } = process
  return {
    name: 'S3',
    settings,
    async kill() {
      await process?.kill()
      process = undefined
    },
    async restart() {
      process = await spawnS3(port, data)
    },
    store() {
      const { s3 } = parseConfiguration(settings, 'node')
      if (s3 === undefined) throw new Error('these settings have no S3')
      // The SDK looks for keys in the environment.
      Object.assign(globalThis.process.env, settings)
      return new S3Store(s3)
    },
  }
}

async function spawnS3(port: number, data: string) {
  const child = spawn(process.execPath, [S3_PROCESS, String(port), join(data, 's3')], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  const ready = Promise.withResolvers<Record<string, string>>()
  createInterface(child.stdout).on('line', (line) => ready.resolve(JSON.parse(line)))
  exited.then(() => ready.reject(new Error('the S3 did not start')))
  const settings = await ready.promise
  return {
    settings,
    async kill() {
      // Including workerd, which it started.
      if (child.pid !== undefined) globalThis.process.kill(-child.pid, 'SIGKILL')
      await exited
    },
  }
}

/** As if a day had passed: what a dead process left in a folder is removed the next time the folder is opened. */
async function age(data: string): Promise<void> {
  const then = new Date(Date.now() - LEFTOVER_MILLISECONDS)
  const entries = await readdir(data, { recursive: true, withFileTypes: true })
  for (const entry of entries) await utimes(join(entry.parentPath, entry.name), then, then)
}
