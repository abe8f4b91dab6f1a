/** `lamina open`: the pages about one image, in the browser of this machine, until Ctrl-C. */
import { spawn } from 'node:child_process'
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { SESSION_COOKIE, SESSION_SECONDS, Sessions } from '../src/http/session.ts'
import { allowLocalImages } from '../workers/node/engine/opened-archives.ts'
import { startNode } from '../workers/node/service.ts'
import { startFast } from '../workers/node/threads/v8.ts'
import { credentialHeaders } from './credentials.ts'
import { findEngine } from './engine.ts'
import { Failure } from './failure.ts'
import { dataFolder, settingsOf } from './local.ts'
import { fromEngine } from './names.ts'
import { failureOf } from './problem.ts'
import type { Request as Asked } from './program.ts'

type Environment = Readonly<Record<string, string | undefined>>

export type OpenOptions = {
  readonly env: Environment
  readonly signal: AbortSignal
  warn(line: string): void
}

const STOP_MILLISECONDS = 2_000
const SECRET_BYTES = 32
/** The path of the link that signs the browser in. */
const ENTRY = '/open'

/** Serves until the signal is aborted. */
export async function openPages(request: Asked, { env, signal, warn }: OpenOptions): Promise<void> {
  startFast()
  allowLocalImages()
  const data = await dataFolder({ env, cache: request.settings.cache, warn })
  const token = secret()
  const link = new OneTimeLink(token)
  const service = await startNode(
    await serviceSettings(request, { env, signal, warn, token, data: data.path }),
    {
      entry: (asked) => link.answer(asked),
    },
  )
  try {
    const shown = await readable(service.url, token, request, { env, signal, warn })
    const url = service.url + link.to(pageOf(shown))
    process.stdout.write(`${url}\n`)
    if (!request.settings.quiet) warn('the pages are served until Ctrl-C; the link works once')
    showInBrowser(url, env)
    if (!signal.aborted) await once(signal, 'abort')
  } finally {
    await service.stop(STOP_MILLISECONDS)
    await data.remove()
  }
}

/** The command's own credentials, engine and cache, for a service that only this machine reaches. */
async function serviceSettings(
  { parameters, settings }: Asked,
  { env, signal, warn, token, data }: OpenOptions & { readonly token: string; readonly data: string },
): Promise<Environment> {
  const engine = await findEngine(env).catch(() => undefined)
  const { insecure } = settings
  const own = settingsOf({ env, cache: true, analyses: true, engine, insecure, warn })
  const headers = await credentialHeaders(parameters.get('image') ?? [], env, signal)
  const config = headers['x-registry-config']
  const auths: unknown = config === undefined ? {} : JSON.parse(Buffer.from(config, 'base64url').toString())
  return {
    ...own.env,
    HOST: '127.0.0.1',
    PORT: '0',
    LAMINA_DATA: data,
    LAMINA_TOKENS: token,
    LAMINA_CREDENTIALS: JSON.stringify({ auths }),
  }
}

/** The request, with the engine's image if its registry does not have it. @throws Failure if nobody has it */
async function readable(url: string, token: string, request: Asked, options: OpenOptions): Promise<Asked> {
  const query = new URLSearchParams(valuesOf(request))
  const response = await fetch(`${url}/v1/config?${query}`, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/json, application/problem+json' },
    signal: options.signal,
  })
  if (response.ok || response.status === 503) {
    await response.body?.cancel()
    return request
  }
  const { env, signal, warn } = options
  return fromEngine(request, await failureOf(response, 'command'), { env, signal, tell: warn })
}

function valuesOf({ parameters }: Asked): [string, string][] {
  return [...parameters].flatMap(([name, values]) => values.map((value): [string, string] => [name, value]))
}

function pageOf(request: Asked): string {
  return `/?${new URLSearchParams(valuesOf(request))}`
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url')
}

/** A link that signs in the first browser that follows it, and no other. */
class OneTimeLink {
  readonly #token: string
  readonly #sessions: Sessions
  #secret: Buffer | undefined = Buffer.from(secret())
  #page = '/'

  constructor(token: string) {
    this.#token = token
    this.#sessions = new Sessions({ tokens: [token] })
  }

  to(page: string): string {
    this.#page = page
    return `${ENTRY}?token=${this.#secret}`
  }

  /** Undefined for requests to the service. */
  async answer(request: Request): Promise<Response | undefined> {
    const url = new URL(request.url)
    if (url.pathname !== ENTRY || request.method !== 'GET') return undefined
    const given = Buffer.from(url.searchParams.get('token') ?? '')
    const known = this.#secret
    const isRight = known !== undefined && given.length === known.length && timingSafeEqual(given, known)
    if (!isRight) return answer('This link was used already, or is wrong: run `lamina open` again.\n', 403)
    this.#secret = undefined
    const session = await this.#sessions.encrypt({ ...this.#sessions.fresh(), token: this.#token })
    const headers = new Headers({ location: this.#page, 'cache-control': 'no-store' })
    headers.set(
      'set-cookie',
      `${SESSION_COOKIE}=${session}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${SESSION_SECONDS}`,
    )
    return new Response(null, { status: 303, headers })
  }
}

function answer(text: string, status: number): Response {
  return new Response(text, { status, headers: { 'content-type': 'text/plain; charset=utf-8' } })
}

/** Does nothing without a browser: the link is printed. */
function showInBrowser(url: string, env: Environment): void {
  const command = browserOf(env)
  if (command === undefined) return
  const child = spawn(command, [url], { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}

function browserOf(env: Environment): string | undefined {
  // A list, as for other commands.
  if (env.BROWSER) return env.BROWSER.split(':')[0]
  if (process.platform === 'darwin') return 'open'
  if (process.platform === 'win32') return 'explorer'
  return env.DISPLAY || env.WAYLAND_DISPLAY ? 'xdg-open' : undefined
}

/** A service that answers instead has pages of its own. */
export function refuseServer(server: string): never {
  throw new Failure('usage', `lamina open reads the image here; open ${server} in a browser instead`)
}
