/**
 * The service in this process, with the index in a folder of the user, and layers on all cores. If the folder has no image yet,
 * threads start while the service's code is loaded, which takes as long.
 */
import { constants, existsSync } from 'node:fs'
import { access, chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Configuration, isSetting, parseConfiguration } from '../src/configuration.ts'
import { allowLocalImages } from '../workers/node/engine/opened-archives.ts'
import { AnalysisThreads } from '../workers/node/threads/analysis-threads.ts'
import { CompressionThreads } from '../workers/node/threads/compression-threads.ts'
import { startFast } from '../workers/node/threads/v8.ts'
import type { Client, Question } from './client.ts'
import type { EngineAddress } from './engine.ts'
import { Failure, systemReason } from './failure.ts'
import type { LocalService } from './local-service.ts'
import { LOOPBACK, OWN_NETWORK, withRanges } from './own-network.ts'
import { failureOf, problemCode } from './problem.ts'

type Environment = Readonly<Record<string, string | undefined>>

export type LocalOptions = {
  readonly env: Environment
  /** Whether the user's cache is read and written. */
  readonly cache: boolean
  /** Whether images that are not known yet will be analysed. */
  readonly analyses: boolean
  /** Registries over plain HTTP, or without a check of their certificate. */
  readonly insecure?: readonly string[]
  /** The engine that `docker-daemon:` reads, if requested. */
  readonly engine?: EngineAddress | undefined
  /** Called once with the reason if the cache cannot be used. */
  readonly warn: (line: string) => void
}

/** Settings of a service for others, and of this program. */
const NOT_OURS =
  /^(LAMINA_(SERVER|TOKEN|TOKENS|DEBUG|DATA|RATE|DRAIN_SECONDS|WEBHOOK_SECRETS|KEY|DOCKER_HOST|DOCKER_WATCH)|HOST|PORT|S3_\w+|REDIS_URL)$/

export async function localClient(options: LocalOptions): Promise<Client> {
  startFast()
  allowLocalImages()
  const settings = settingsOf(options)
  const kept = options.cache ? await cacheFolder(options) : undefined
  let service = await Local.open(settings, kept)
  return {
    reader: 'command',
    async request(path, question) {
      const response = await service.request(path, question)
      if (!service.isKept || response.status !== 503 || (await problemCode(response)) !== 'store_error')
        return response
      const { message } = await failureOf(response, 'command')
      options.warn(`cannot use the cache in ${kept}, continuing without it: ${message}`)
      await service.close()
      service = await Local.open(settings, undefined)
      return service.request(path, question)
    },
    async forget() {
      await service.close()
      service = await Local.open(settings, kept)
    },
    close: () => service.close(),
  }
}

export type LocalSettings = Pick<LocalOptions, 'analyses'> & {
  readonly configuration: Configuration
  readonly env: Environment
}

export function settingsOf({
  env: given,
  analyses,
  engine,
  insecure = [],
  warn,
}: LocalOptions): LocalSettings {
  const ours = Object.entries(given).filter(([name, value]) => value && !NOT_OURS.test(name))
  // The environment belongs to the user or a CI runner, who may use the prefix for their own variables.
  const unknown = ours.map(([name]) => name).filter((name) => name.startsWith('LAMINA_') && !isSetting(name))
  if (unknown.length > 0) warn(`ignoring ${unknown.join(', ')}: not a setting`)
  const env: Record<string, string | undefined> = Object.fromEntries(
    ours.filter(([name]) => !unknown.includes(name)),
  )
  if (engine !== undefined) {
    env.LAMINA_DOCKER_HOST = engine.host
    env.DOCKER_TLS_VERIFY = engine.certificates && '1'
    env.DOCKER_CERT_PATH = engine.certificates
  }
  env.LAMINA_PRIVATE_REGISTRIES = withRanges(env.LAMINA_PRIVATE_REGISTRIES, OWN_NETWORK)
  env.LAMINA_INSECURE_REGISTRIES = withRanges(env.LAMINA_INSECURE_REGISTRIES, [LOOPBACK, ...insecure].join())
  try {
    return { configuration: parseConfiguration(env, 'node'), env, analyses }
  } catch (error) {
    throw new Failure('invalid_setting', error instanceof Error ? error.message : String(error))
  }
}

/** @returns undefined if it cannot be written, after a message to the user */
async function cacheFolder({ env, warn }: Pick<LocalOptions, 'env' | 'warn'>): Promise<string | undefined> {
  const folder = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lamina')
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // It may have been made when it was still open to the other users of the machine.
    await chmod(folder, 0o700)
    await access(folder, constants.W_OK)
    return folder
  } catch (error) {
    warn(`the cache in ${folder} cannot be written (${systemReason(error)}): continuing without it`)
    return undefined
  }
}

/** The user's cache, or a folder for as long as the command runs. */
export async function dataFolder(
  options: Pick<LocalOptions, 'env' | 'cache' | 'warn'>,
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const kept = options.cache ? await cacheFolder(options) : undefined
  const path = kept ?? (await temporaryFolder())
  const remove = async () => {
    if (kept === undefined) await rm(path, { recursive: true, force: true })
  }
  return { path, remove }
}

class Local {
  readonly #service: LocalService
  readonly #temporary: string | undefined

  private constructor(service: LocalService, temporary: string | undefined) {
    this.#service = service
    this.#temporary = temporary
  }

  /** @param kept the folder of the index; without one the index lasts as long as this process */
  static async open(settings: LocalSettings, kept: string | undefined): Promise<Local> {
    const temporary = kept === undefined ? await temporaryFolder() : undefined
    const data = kept ?? temporary ?? ''
    const configuration = { ...settings.configuration, data }
    const env = { ...settings.env, LAMINA_DATA: data }
    const threads = new AnalysisThreads({
      threads: availableParallelism(),
      env,
      limits: configuration.limits,
      metrics: { layer() {}, secondThread() {}, stored() {} },
    })
    // With images in the folder this one may be known, and then needs no threads.
    if (settings.analyses && !existsSync(join(data, 'images'))) threads.prepare()
    const compressions = new CompressionThreads({ env, metrics: { stored() {} } })
    const { LocalService } = await import('./local-service.ts')
    return new Local(await LocalService.open(configuration, threads, compressions), temporary)
  }

  get isKept(): boolean {
    return this.#temporary === undefined
  }

  request(path: string, question: Question): Promise<Response> {
    return this.#service.request(path, question)
  }

  async close(): Promise<void> {
    await this.#service.close()
    if (this.#temporary !== undefined) await rm(this.#temporary, { recursive: true, force: true })
  }
}

async function temporaryFolder(): Promise<string> {
  try {
    return await mkdtemp(join(tmpdir(), 'lamina-'))
  } catch (error) {
    throw new Failure('store_error', `cannot write to ${tmpdir()}: ${systemReason(error)}`)
  }
}
