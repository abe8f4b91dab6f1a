/** The Docker Engine that docker itself would use: `DOCKER_HOST`, the current context, or the usual socket. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../src/text/json.ts'
import { Failure } from './failure.ts'

type Environment = Readonly<Record<string, string | undefined>>

export type EngineAddress = {
  /** `unix:///path` or `tcp://host:port` */
  readonly host: string
  /** Folder with `ca.pem`, `cert.pem` and `key.pem`, for TLS connections. */
  readonly certificates?: string | undefined
}

const USUAL: EngineAddress = { host: 'unix:///var/run/docker.sock' }
const PLAIN_PORT = 2375
const TLS_PORT = 2376

const configSchema = z.object({ currentContext: z.string().optional() })
const contextSchema = z.object({ Endpoints: z.object({ docker: z.object({ Host: z.string() }) }) })

/** @throws Failure `invalid_setting` for a context that does not exist, or an address that is neither a socket nor TCP */
export async function findEngine(env: Environment): Promise<EngineAddress> {
  const folder = env.DOCKER_CONFIG || join(homedir(), '.docker')
  if (env.DOCKER_HOST) {
    const certificates = env.DOCKER_TLS_VERIFY ? env.DOCKER_CERT_PATH || folder : undefined
    return readable({ host: env.DOCKER_HOST, certificates }, 'DOCKER_HOST')
  }
  const config = configSchema.safeParse(parseJson(await readText(join(folder, 'config.json'))))
  const context = env.DOCKER_CONTEXT || (config.data?.currentContext ?? '')
  return context === '' || context === 'default' ? USUAL : contextAddress(folder, context)
}

/** Docker names a context's folders by the hash of its name. */
async function contextAddress(folder: string, name: string): Promise<EngineAddress> {
  const id = createHash('sha256').update(name).digest('hex')
  const text = await readText(join(folder, 'contexts/meta', id, 'meta.json'))
  const context = contextSchema.safeParse(parseJson(text))
  if (!context.success)
    throw new Failure('invalid_setting', `the docker context ${name} does not exist or names no engine`)
  const certificates = join(folder, 'contexts/tls', id, 'docker')
  const isTls = existsSync(join(certificates, 'cert.pem'))
  const address = { host: context.data.Endpoints.docker.Host, ...(isTls ? { certificates } : {}) }
  return readable(address, `the docker context ${name}`)
}

function readable({ host, certificates }: EngineAddress, from: string): EngineAddress {
  if (/^unix:\/\/\/./.test(host)) return { host }
  const [, name, port = certificates === undefined ? PLAIN_PORT : TLS_PORT] =
    /^tcp:\/\/([^/]+?)(?::(\d+))?\/?$/.exec(host) ?? []
  if (name === undefined)
    throw new Failure('invalid_setting', `${from} must be unix:///path or tcp://host:port, not ${host}`)
  return { host: `tcp://${name}:${port}`, certificates }
}

/** Empty if it cannot be read. */
async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '')
}
