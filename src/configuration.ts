/** The service's settings, read once at the start: environment variables, or a Worker's `vars` and secrets. */
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { type Credential, parseDockerConfig, registryOf } from './oci/credential.ts'
import { parseReference } from './oci/reference.ts'
import { Problem } from './problem.ts'
import { parseBytesLimit } from './text/limit.ts'

export type Limits = {
  /** Uncompressed bytes of one layer. */
  readonly layerBytes: number
  /** Uncompressed bytes of all layers of an image. */
  readonly imageBytes: number
  /** Members of an image. */
  readonly entries: number
  /** Window of a zstd frame, in bytes. */
  readonly zstdWindow: number
}

/** Where the service runs: a deployed Worker, the Worker on Miniflare, or Node. */
export type HostKind = 'worker' | 'miniflare' | 'node'

export type Configuration = {
  readonly host: string
  readonly port: number
  /** Folder of the embedded object store. */
  readonly data: string
  /** `host[:port]` or `host[:port]/prefix`; undefined allows any. */
  readonly allowedRegistries?: readonly string[]
  /** `host[:port]` or CIDR. */
  readonly privateRegistries: readonly string[]
  /** `host[:port]` or CIDR. */
  readonly insecureRegistries: readonly string[]
  /** Hosts are reached only by name: a deployed Worker cannot connect to an IP address. */
  readonly reachesOnlyNames: boolean
  /** The service's own credentials, by registry (`docker.io`, `host[:port]`). */
  readonly credentials: ReadonlyMap<string, Credential>
  /** A login by registry that serves every caller, for content that the registry also shows without it. */
  readonly publicCredentials: ReadonlyMap<string, Credential>
  /** The mirror of each registry, asked first for manifests and blobs by digest, and for tags: `host[:port]`. */
  readonly mirrors: ReadonlyMap<string, string>
  readonly tokens: readonly string[]
  /** The secrets of webhooks; without any, webhooks are off. */
  readonly webhookSecrets: readonly string[]
  /** Repositories whose badges may use the service's credentials: `host/name`. */
  readonly publicBadges: readonly string[]
  readonly limits: Limits
  /** What `docker-daemon:` reads: `unix:///var/run/docker.sock` or `tcp://host:port`. */
  readonly dockerHost?: string
  /** Folder with `ca.pem`, `cert.pem` and `key.pem` for an engine that is reached over TLS. */
  readonly dockerCertificates?: string
  /** Analyse images as soon as the engine reports them. */
  readonly watchesDocker: boolean
  /** Limit for an uploaded archive, as sent and unpacked. */
  readonly maxUploadBytes: number
  /** Limit for all uploads together, as stored. */
  readonly uploadsBytes: number
  /** How long an upload lives after its last use. */
  readonly uploadSeconds: number
  /** Concurrent analyses; `queued` more may wait. */
  readonly maxAnalyses: number
  /** New analyses per client per minute; 0 means no limit. */
  readonly rate: number
  /** CIDRs of proxies whose word about their clients' addresses counts. */
  readonly trustedProxies: readonly string[]
  /** Seconds after SIGTERM during which connections are still accepted. */
  readonly drainSeconds: number
  /** 32 bytes from which other keys are derived. */
  readonly key?: Uint8Array
  /** Redis, through which several servers share their jobs. */
  readonly redis?: {
    readonly url: string
    /** 32 bytes that encrypt what a job carries. */
    readonly key: Uint8Array
  }
  readonly s3?: {
    readonly endpoint?: string
    readonly bucket: string
    readonly region: string
  }
}

type Environment = Readonly<Record<string, string | undefined>>

const GIB = 2 ** 30
const MIB = 2 ** 20

/**
 * Settings that a deployed Worker does not need: it reaches public addresses over TLS, and Cloudflare limits what it
 * runs.
 */
const NOT_ON_WORKERS = [
  'LAMINA_PRIVATE_REGISTRIES',
  'LAMINA_INSECURE_REGISTRIES',
  'LAMINA_MAX_ANALYSES',
  'LAMINA_RATE',
  'LAMINA_DRAIN_SECONDS',
  'REDIS_URL',
]

/** A loopback address or name, which only this machine can reach. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const address = host.replace(/^\[(.*)\]$/, '$1')
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback'
}

const integer = (smallest: number, largest: number) =>
  z
    .string()
    .regex(/^\d+$/, 'is not a whole number')
    .transform(Number)
    .pipe(
      z
        .number()
        .min(smallest, `is less than ${smallest}`)
        // Made when it is needed: the first number that is formatted for a language takes 13 ms.
        .max(largest, { error: () => `is more than ${largest.toLocaleString('en')}` }),
    )

const size = z.string().transform((text, context) => {
  const bytes = bytesOf(text)
  if (bytes !== undefined && bytes > 0) return bytes
  context.addIssue({ code: 'custom', message: 'must be a size like 20GiB, 500MB or 1048576' })
  return z.NEVER
})

function bytesOf(text: string): number | undefined {
  try {
    return parseBytesLimit(text, '')
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

/** Separated by commas; entries may be empty. */
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)

const listOf = (holds: (item: string) => boolean, what: string) =>
  list.superRefine((items, context) => {
    for (const item of items) {
      if (!holds(item))
        context.addIssue({ code: 'custom', message: `${JSON.stringify(item)} is not ${what}` })
    }
  })

const KEY_BYTES = 32

const secretKey = z.string().transform((text, context): Uint8Array => {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.byteLength === KEY_BYTES && bytes.toString('base64') === text) return new Uint8Array(bytes)
  context.addIssue({ code: 'custom', message: 'must be 32 bytes in base64 (`openssl rand -base64 32`)' })
  return z.NEVER
})

const CREDENTIALS = /^LAMINA_CREDENTIALS(_\d+)?$/
const PUBLIC_CREDENTIALS = /^LAMINA_PUBLIC_CREDENTIALS(_\d+)?$/
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i
const NAME = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/

function isRange(text: string): boolean {
  return text.includes('/') && ipaddr.isValidCIDR(text)
}

function isHostOrRange(text: string): boolean {
  return HOST.test(text) || isRange(text)
}

function isHostWithPrefix(text: string): boolean {
  const [host = '', ...prefix] = text.replace(/\/$/, '').split('/')
  return HOST.test(host) && prefix.every((part) => NAME.test(part))
}

/** The repository that a name stands for, with Docker Hub's defaults: `docker.io/library/nginx`. */
function repositoryOf(name: string): string {
  const { registry, repository } = parseReference(name)
  return `${registry}/${repository}`
}

const badgeRepositories = list.transform((names, context) =>
  names.map((name) => {
    try {
      return repositoryOf(name)
    } catch {
      context.addIssue({ code: 'custom', message: `${JSON.stringify(name)} is not a repository` })
      return z.NEVER
    }
  }),
)

/** `registry=mirror`, each `host[:port]`. */
const mirrors = listOf(
  (item) => item.split('=').length === 2 && item.split('=').every((host) => HOST.test(host)),
  'registry=mirror like docker.io=mirror.example.com',
).transform(
  (items) =>
    new Map(
      items.map((item): [string, string] => {
        const [registry = '', mirror = ''] = item.toLowerCase().split('=')
        return [registryOf(registry), mirror]
      }),
    ),
)

const lowerCase = (items: string[]) => items.map((item) => item.toLowerCase())
const hostsOrRanges = listOf(isHostOrRange, 'host[:port] or a CIDR like 10.0.0.0/8').transform(lowerCase)

const variables = z.object({
  HOST: z
    .string()
    .refine((host) => host === 'localhost' || ipaddr.isValid(host) || HOST.test(host), 'is not an address')
    .default('127.0.0.1'),
  PORT: integer(0, 65_535).default(8080),
  LAMINA_DATA: z.string().default('.lamina'),
  LAMINA_ALLOWED_REGISTRIES: listOf(isHostWithPrefix, 'host[:port] or host/prefix')
    .transform(lowerCase)
    .optional(),
  LAMINA_PRIVATE_REGISTRIES: hostsOrRanges.default([]),
  LAMINA_INSECURE_REGISTRIES: hostsOrRanges.default([]),
  // The characters that RFC 6750 allows after `Bearer`.
  LAMINA_TOKENS: listOf((token) => /^[\w.~+/-]+=*$/.test(token), 'a token that a header can carry').default(
    [],
  ),
  LAMINA_WEBHOOK_SECRETS: list.default([]),
  LAMINA_PUBLIC_BADGES: badgeRepositories.default([]),
  LAMINA_MIRRORS: mirrors.default(new Map()),
  LAMINA_MAX_LAYER_BYTES: size.default(20 * GIB),
  LAMINA_MAX_IMAGE_BYTES: size.default(100 * GIB),
  LAMINA_MAX_ENTRIES: integer(1, 1_000_000_000).default(2_000_000),
  LAMINA_MAX_ZSTD_WINDOW: size.optional(),
  LAMINA_DOCKER_HOST: z
    .string()
    .regex(/^(?:unix:\/\/\/.+|tcp:\/\/[^/]+:\d+)$/, 'is not unix:///path or tcp://host:port')
    .optional(),
  LAMINA_DOCKER_WATCH: z.enum(['0', '1'], 'is not 0 or 1').default('0'),
  // As in Docker's own client: any value of the first turns TLS on.
  DOCKER_TLS_VERIFY: z.string().optional(),
  DOCKER_CERT_PATH: z.string().optional(),
  HOME: z.string().optional(),
  LAMINA_MAX_UPLOAD_BYTES: size.default(20 * GIB),
  LAMINA_UPLOADS_BYTES: size.default(100 * GIB),
  LAMINA_UPLOAD_SECONDS: integer(1, 31_536_000).default(3600),
  LAMINA_MAX_ANALYSES: integer(1, 10_000).default(8),
  LAMINA_RATE: integer(0, 1_000_000).default(0),
  LAMINA_TRUSTED_PROXIES: listOf(isRange, 'a CIDR like 10.0.0.0/8').default([]),
  LAMINA_DRAIN_SECONDS: integer(0, 3_600).default(5),
  // The message repeats neither, since both are secrets.
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'must be a URL like redis://host:6379' }).optional(),
  LAMINA_KEY: secretKey.optional(),
  S3_ENDPOINT: z.url('is not a URL').optional(),
  S3_BUCKET: z.string().optional(),
  S3_REGION: z.string().optional(),
  AWS_REGION: z.string().optional(),
})

/** An invalid setting; the message names it. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

/**
 * Reads the settings from environment variables; an empty one counts as absent.
 *
 * @throws Error that begins with the name of the variable whose value is wrong; it never repeats a secret
 */
export function parseConfiguration(environment: Environment, host: HostKind): Configuration {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value))
  const unusable = host === 'worker' ? NOT_ON_WORKERS.find((name) => name in given) : undefined
  if (unusable !== undefined) throw new ConfigurationError(`${unusable} cannot be set on a deployed Worker`)
  // A misspelt name would silently disable a setting, such as a limit or the tokens that callers must present.
  const unknown = Object.keys(given).find((name) => name.startsWith('LAMINA_') && !isSetting(name))
  if (unknown !== undefined)
    throw new ConfigurationError(`${unknown} is not a setting; the README lists all settings`)
  const parsed = variables.safeParse(given)
  if (!parsed.success) throw new ConfigurationError(describe(parsed.error))
  const values = parsed.data
  const listensOnLoopback = host !== 'worker' && isLoopback(values.HOST)
  const credentials = mergeCredentials(given, CREDENTIALS)
  if (credentials.size > 0 && values.LAMINA_TOKENS.length === 0 && !listensOnLoopback) {
    throw new ConfigurationError(
      'LAMINA_CREDENTIALS without LAMINA_TOKENS would give every caller these credentials: set LAMINA_TOKENS, or listen on loopback',
    )
  }
  if (values.LAMINA_DOCKER_HOST && values.LAMINA_TOKENS.length === 0 && !listensOnLoopback) {
    throw new ConfigurationError(
      'LAMINA_DOCKER_HOST without LAMINA_TOKENS would show the images of the engine to everybody: set LAMINA_TOKENS, or listen on loopback',
    )
  }
  if (values.LAMINA_WEBHOOK_SECRETS.length > 0 && values.LAMINA_ALLOWED_REGISTRIES === undefined) {
    throw new ConfigurationError(
      'LAMINA_WEBHOOK_SECRETS without LAMINA_ALLOWED_REGISTRIES would have any image analysed that a notification names: set LAMINA_ALLOWED_REGISTRIES',
    )
  }
  if (values.LAMINA_DOCKER_WATCH === '1' && !values.LAMINA_DOCKER_HOST)
    throw new ConfigurationError('LAMINA_DOCKER_WATCH without LAMINA_DOCKER_HOST has no engine to watch')
  const s3 = host === 'node' ? storeOf(values) : undefined
  const redis = host === 'node' ? queueOf(values) : undefined
  return {
    host: host === 'worker' ? '' : values.HOST,
    port: values.PORT,
    data: values.LAMINA_DATA,
    ...(values.LAMINA_ALLOWED_REGISTRIES ? { allowedRegistries: values.LAMINA_ALLOWED_REGISTRIES } : {}),
    privateRegistries: values.LAMINA_PRIVATE_REGISTRIES,
    insecureRegistries: values.LAMINA_INSECURE_REGISTRIES,
    reachesOnlyNames: host === 'worker',
    credentials,
    publicCredentials: mergeCredentials(given, PUBLIC_CREDENTIALS),
    mirrors: values.LAMINA_MIRRORS,
    tokens: values.LAMINA_TOKENS,
    webhookSecrets: values.LAMINA_WEBHOOK_SECRETS,
    publicBadges: values.LAMINA_PUBLIC_BADGES,
    limits: {
      layerBytes: values.LAMINA_MAX_LAYER_BYTES,
      imageBytes: values.LAMINA_MAX_IMAGE_BYTES,
      entries: values.LAMINA_MAX_ENTRIES,
      zstdWindow: values.LAMINA_MAX_ZSTD_WINDOW ?? (host === 'worker' ? 8 : 128) * MIB,
    },
    ...(host === 'node' ? engineOf(values) : {}),
    watchesDocker: host === 'node' && values.LAMINA_DOCKER_WATCH === '1',
    maxUploadBytes: values.LAMINA_MAX_UPLOAD_BYTES,
    uploadsBytes: values.LAMINA_UPLOADS_BYTES,
    uploadSeconds: values.LAMINA_UPLOAD_SECONDS,
    maxAnalyses: values.LAMINA_MAX_ANALYSES,
    rate: values.LAMINA_RATE,
    trustedProxies: values.LAMINA_TRUSTED_PROXIES,
    drainSeconds: values.LAMINA_DRAIN_SECONDS,
    ...(values.LAMINA_KEY === undefined ? {} : { key: values.LAMINA_KEY }),
    ...(redis ? { redis } : {}),
    ...(s3 ? { s3 } : {}),
  }
}

/** Whether there is a setting of this name. */
export function isSetting(name: string): boolean {
  return name in variables.shape || CREDENTIALS.test(name) || PUBLIC_CREDENTIALS.test(name)
}

/** Reports all errors at once, so that one failed start is enough. */
function describe(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ')
}

function mergeCredentials(given: Environment, names: RegExp): Map<string, Credential> {
  const merged = new Map<string, Credential>()
  for (const name of credentialVariables(given, names)) {
    try {
      for (const [registry, credential] of parseDockerConfig(given[name] ?? ''))
        merged.set(registry, credential)
    } catch (error) {
      // Never shows the value, which is secret.
      const reason = error instanceof Error ? error.message : 'it cannot be read'
      throw new ConfigurationError(`${name} must be JSON like Docker’s config.json: ${reason}`)
    }
  }
  return merged
}

/** `LAMINA_CREDENTIALS`, `LAMINA_CREDENTIALS_2`, …, in the order of their numbers. */
function credentialVariables(given: Environment, names: RegExp): string[] {
  const numberOf = (name: string) => Number(/(?<!\d)\d+$/.exec(name)?.[0] ?? 1)
  return Object.keys(given)
    .filter((name) => names.test(name))
    .sort((a, b) => numberOf(a) - numberOf(b))
}

function queueOf({ REDIS_URL: url, LAMINA_KEY: key }: z.infer<typeof variables>): Configuration['redis'] {
  if (url === undefined) return undefined
  if (key !== undefined) return { url, key }
  throw new ConfigurationError(
    'LAMINA_KEY is required when REDIS_URL is set: 32 bytes in base64 (`openssl rand -base64 32`)',
  )
}

function engineOf(
  values: z.infer<typeof variables>,
): Pick<Configuration, 'dockerHost' | 'dockerCertificates'> {
  const { LAMINA_DOCKER_HOST: dockerHost, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, HOME } = values
  if (dockerHost === undefined) return {}
  if (DOCKER_TLS_VERIFY === undefined || !dockerHost.startsWith('tcp:')) return { dockerHost }
  const dockerCertificates = DOCKER_CERT_PATH ?? (HOME === undefined ? undefined : `${HOME}/.docker`)
  if (dockerCertificates === undefined)
    throw new ConfigurationError(
      'DOCKER_TLS_VERIFY without DOCKER_CERT_PATH: set the folder of ca.pem, cert.pem and key.pem',
    )
  return { dockerHost, dockerCertificates }
}

function storeOf(values: z.infer<typeof variables>): Configuration['s3'] {
  const { S3_ENDPOINT: endpoint, S3_BUCKET: bucket, S3_REGION, AWS_REGION } = values
  if (bucket === undefined) {
    if (endpoint === undefined) return undefined
    throw new ConfigurationError('S3_BUCKET is required when S3_ENDPOINT is set')
  }
  return { ...(endpoint ? { endpoint } : {}), bucket, region: S3_REGION ?? AWS_REGION ?? 'us-east-1' }
}
