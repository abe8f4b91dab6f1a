/**
 * Credentials where docker and podman keep them: `config.json` with its helpers, and containers-auth.json(5). What a
 * helper says is never shown.
 */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { registryOf } from '../src/oci/credential.ts'
import { parseImageReference } from '../src/oci/image-reference.ts'
import { parseJson } from '../src/text/json.ts'
import { Failure, systemReason } from './failure.ts'

type Environment = Readonly<Record<string, string | undefined>>

const authSchema = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
})

/** Credentials for registries, as in the header `X-Registry-Config`. */
type Auth = z.output<typeof authSchema>

const fileSchema = z.object({
  auths: z.record(z.string(), authSchema).nullish(),
  credsStore: z.string().nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
})

type AuthFile = z.output<typeof fileSchema>

const helperSchema = z.object({ Username: z.string(), Secret: z.string() })

/** Docker Hub's name in these files and to helpers. */
const HUB = 'docker.io'
const HUB_ADDRESS = 'https://index.docker.io/v1/'
/** How a helper reports that it has nothing for a registry. */
const NOT_FOUND = 'credentials not found in native keychain'
/** How it reports that the secret is an identity token rather than a password. */
const TOKEN_USER = '<token>'
const HELPER_MILLISECONDS = 30_000
const HELPER_BYTES = 1_000_000

/**
 * The header with the credentials that these references need.
 *
 * @param references as they were given; what cannot be read is left for the service to refuse
 * @throws Failure `credentials_error`: a file that cannot be read, a helper that failed
 */
export async function credentialHeaders(
  references: readonly string[],
  env: Environment,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const places = references.flatMap(repositoriesOf)
  if (places.length === 0) return {}
  const files = await readFiles(env)
  const found = new Map<string, Auth>()
  for (const place of places) {
    if (found.has(place.registry)) continue
    const auth = await firstOf(files, place, signal)
    if (auth !== undefined) found.set(place.registry, auth)
  }
  if (found.size === 0) return {}
  const config = JSON.stringify(Object.fromEntries(found))
  return { 'x-registry-config': Buffer.from(config).toString('base64url') }
}

type Repository = { readonly registry: string; readonly repository: string }

function repositoriesOf(reference: string): readonly Repository[] {
  try {
    const parsed = parseImageReference(reference)
    return parsed.transport === 'docker' ? [parsed] : []
  } catch {
    return []
  }
}

async function readFiles(env: Environment): Promise<readonly AuthFile[]> {
  const config = env.XDG_CONFIG_HOME || join(homedir(), '.config')
  const paths = [
    env.REGISTRY_AUTH_FILE,
    join(env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json'),
    env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, 'containers/auth.json') : undefined,
    join(config, 'containers/auth.json'),
  ]
  const files = await Promise.all(paths.map((path) => (path ? readAuthFile(path) : undefined)))
  return files.filter((file) => file !== undefined)
}

/** @returns undefined if there is no such file */
async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw new Failure('credentials_error', `cannot read ${path}: ${systemReason(error)}`)
  }
  const parsed = fileSchema.safeParse(text.trim() === '' ? {} : parseJson(text))
  if (parsed.success) return parsed.data
  // Never quotes it: the content is secret.
  throw new Failure('credentials_error', `${path} is not a config.json as docker login writes it`)
}

async function firstOf(
  files: readonly AuthFile[],
  place: Repository,
  signal: AbortSignal,
): Promise<Auth | undefined> {
  for (const file of files) {
    const auth = await authOf(file, place, signal)
    if (auth !== undefined) return auth
  }
  return undefined
}

/** The registry's own helper, else the general helper, else the entry in the file itself. */
async function authOf(file: AuthFile, place: Repository, signal: AbortSignal): Promise<Auth | undefined> {
  const helper = mostSpecific(file.credHelpers ?? {}, place) ?? (file.credsStore || undefined)
  const kept = helper === undefined ? undefined : await askHelper(helper, place.registry, signal)
  if (kept !== undefined) return kept
  const auth = mostSpecific(file.auths ?? {}, place)
  // Docker leaves an empty entry if a helper keeps the secret.
  return auth !== undefined && Object.values(auth).some(Boolean) ? auth : undefined
}

/** The entry of the repository or of the longest prefix of its name, down to the registry. */
function mostSpecific<T>(
  entries: Readonly<Record<string, T>>,
  { registry, repository }: Repository,
): T | undefined {
  const parts = repository.split('/')
  for (let length = parts.length; length > 0; length--) {
    const name = `${registry}/${parts.slice(0, length).join('/')}`
    if (Object.hasOwn(entries, name)) return entries[name]
  }
  return Object.entries(entries).find(([name]) => isRegistry(name, registry))?.[1]
}

/** `ghcr.io`, `https://ghcr.io`, `https://index.docker.io/v1/`; an entry for a repository does not apply to its registry. */
function isRegistry(name: string, registry: string): boolean {
  const path = name.replace(/^https?:\/\//, '').replace(/^[^/]*/, '')
  return registryOf(name) === registry && /^(\/(v\d\/?)?)?$/.test(path)
}

/** docker-credential-helpers' protocol: the registry on stdin, JSON on stdout. */
async function askHelper(name: string, registry: string, signal: AbortSignal): Promise<Auth | undefined> {
  const program = `docker-credential-${name}`
  const { code, output } = await runHelper(program, registry === HUB ? HUB_ADDRESS : registry, signal)
  if (code !== 0) {
    if (output.trim() === NOT_FOUND) return undefined
    throw new Failure('credentials_error', `${program} failed for ${registry} with exit code ${code}`)
  }
  const parsed = helperSchema.safeParse(parseJson(output))
  if (!parsed.success)
    throw new Failure('credentials_error', `${program} returned an invalid answer for ${registry}`)
  const { Username: username, Secret: secret } = parsed.data
  if (username === TOKEN_USER) return { identitytoken: secret }
  return username === '' && secret === '' ? undefined : { username, password: secret }
}

type Ended = { readonly code: number | null; readonly output: string }

function runHelper(program: string, registry: string, signal: AbortSignal): Promise<Ended> {
  if (/[/\\]/.test(program))
    throw new Failure('credentials_error', 'the name of a credential helper must not contain a slash')
  return new Promise((resolve, reject) => {
    // A process group of its own, so that everything it started ends with it.
    const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], detached: true })
    let output = ''
    const fail = (why: string) => {
      const failed = () => settle(() => reject(new Failure('credentials_error', `${program} ${why}`)))
      if (child.pid === undefined || child.exitCode !== null) return failed()
      // Waits until it has ended, so that nothing outlives this process.
      child.removeAllListeners('close').once('exit', failed)
      end(child.pid)
    }
    const stop = () => {
      end(child.pid)
      settle(() => reject(signal.reason))
    }
    const late = setTimeout(
      () => fail(`did not answer within ${HELPER_MILLISECONDS / 1000} s`),
      HELPER_MILLISECONDS,
    )
    const settle = (act: () => void) => {
      clearTimeout(late)
      signal.removeEventListener('abort', stop)
      act()
    }
    signal.addEventListener('abort', stop)
    child.on('error', (error) => fail(`could not be started: ${startReason(error)}`))
    child.on('close', (code) => settle(() => resolve({ code, output })))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (output.length > HELPER_BYTES) fail('returned more than 1 MB')
    })
    child.stdin.on('error', () => {})
    child.stdin.end(registry)
  })
}

function startReason(error: Error): string {
  return 'code' in error && error.code === 'ENOENT' ? 'it is not in PATH' : systemReason(error)
}

function end(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}
