import { expect, test } from 'vitest'
import { isLoopback, parseConfiguration } from './configuration.ts'

const basic = (user: string) => Buffer.from(`${user}:s3cret`).toString('base64')
const dockerConfig = (registry: string, user: string) =>
  JSON.stringify({ auths: { [registry]: { auth: basic(user) } } })

/** 32 bytes in base64. */
const KEY = Buffer.alloc(32, 7).toString('base64')

test('an empty environment gives the defaults', () => {
  const defaults = {
    host: '127.0.0.1',
    port: 8080,
    data: '.lamina',
    privateRegistries: [],
    insecureRegistries: [],
    reachesOnlyNames: false,
    credentials: new Map(),
    publicCredentials: new Map(),
    mirrors: new Map(),
    tokens: [],
    publicBadges: [],
    limits: {
      layerBytes: 20 * 2 ** 30,
      imageBytes: 100 * 2 ** 30,
      entries: 2_000_000,
      zstdWindow: 128 * 2 ** 20,
    },
    maxUploadBytes: 20 * 2 ** 30,
    uploadsBytes: 100 * 2 ** 30,
    uploadSeconds: 3600,
    maxAnalyses: 8,
    rate: 0,
    trustedProxies: [],
    drainSeconds: 5,
    watchesDocker: false,
    webhookSecrets: [],
  }
  expect(parseConfiguration({}, 'node')).toEqual(defaults)
  expect(parseConfiguration({ PORT: '', LAMINA_TOKENS: '' }, 'miniflare')).toEqual(defaults)
  expect(parseConfiguration({}, 'worker')).toEqual({
    ...defaults,
    host: '',
    reachesOnlyNames: true,
    limits: { ...defaults.limits, zstdWindow: 8 * 2 ** 20 },
  })
})

test('a misspelt setting prevents the start', () => {
  expect(() => parseConfiguration({ LAMINA_TOKEN: 'abc' }, 'node')).toThrow(/^LAMINA_TOKEN is not a setting/)
})

test('every variable is read', () => {
  const environment = {
    HOST: '0.0.0.0',
    PORT: '9000',
    LAMINA_DATA: '/data',
    LAMINA_ALLOWED_REGISTRIES: 'docker.io, GHCR.io/owner',
    LAMINA_PRIVATE_REGISTRIES: 'registry.corp:5000,10.0.0.0/8,[::1]:5000',
    LAMINA_INSECURE_REGISTRIES: '127.0.0.0/8',
    LAMINA_CREDENTIALS: dockerConfig('registry.corp:5000', 'first'),
    LAMINA_CREDENTIALS_2: dockerConfig('ghcr.io', 'second'),
    LAMINA_CREDENTIALS_10: dockerConfig('ghcr.io', 'tenth'),
    LAMINA_TOKENS: 'abc,def==',
    LAMINA_PUBLIC_BADGES: 'nginx,ghcr.io/owner/app',
    LAMINA_MAX_LAYER_BYTES: '1.5GiB',
    LAMINA_MAX_IMAGE_BYTES: '5000000000',
    LAMINA_MAX_ENTRIES: '1000',
    LAMINA_MAX_ZSTD_WINDOW: '16MiB',
    LAMINA_DOCKER_HOST: 'tcp://engine.corp:2376',
    LAMINA_DOCKER_WATCH: '1',
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: '/certificates',
    LAMINA_MAX_UPLOAD_BYTES: '3GB',
    LAMINA_UPLOADS_BYTES: '50GB',
    LAMINA_UPLOAD_SECONDS: '60',
    LAMINA_MAX_ANALYSES: '2',
    LAMINA_RATE: '30',
    LAMINA_TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8',
    LAMINA_DRAIN_SECONDS: '7',
    REDIS_URL: 'rediss://user:word@redis.corp:6380/2',
    LAMINA_KEY: KEY,
    S3_ENDPOINT: 'http://127.0.0.1:9000',
    S3_BUCKET: 'lamina',
    S3_REGION: 'auto',
    LAMINA_MIRRORS: 'Docker.io=mirror.example.com, ghcr.io:443=mirror.corp:5000',
    LAMINA_PUBLIC_CREDENTIALS: JSON.stringify({
      auths: { 'https://index.docker.io/v1/': { username: 'hub', password: 's3cret' } },
    }),
  }
  expect(parseConfiguration(environment, 'node')).toEqual({
    host: '0.0.0.0',
    port: 9000,
    data: '/data',
    allowedRegistries: ['docker.io', 'ghcr.io/owner'],
    privateRegistries: ['registry.corp:5000', '10.0.0.0/8', '[::1]:5000'],
    insecureRegistries: ['127.0.0.0/8'],
    reachesOnlyNames: false,
    credentials: new Map([
      ['registry.corp:5000', { username: 'first', password: 's3cret' }],
      ['ghcr.io', { username: 'tenth', password: 's3cret' }],
    ]),
    publicCredentials: new Map([['docker.io', { username: 'hub', password: 's3cret' }]]),
    mirrors: new Map([
      ['docker.io', 'mirror.example.com'],
      ['ghcr.io:443', 'mirror.corp:5000'],
    ]),
    tokens: ['abc', 'def=='],
    publicBadges: ['docker.io/library/nginx', 'ghcr.io/owner/app'],
    limits: { layerBytes: 3 * 2 ** 29, imageBytes: 5e9, entries: 1000, zstdWindow: 16 * 2 ** 20 },
    dockerHost: 'tcp://engine.corp:2376',
    dockerCertificates: '/certificates',
    watchesDocker: true,
    webhookSecrets: [],
    maxUploadBytes: 3_000_000_000,
    uploadsBytes: 50_000_000_000,
    uploadSeconds: 60,
    maxAnalyses: 2,
    rate: 30,
    trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
    drainSeconds: 7,
    key: new Uint8Array(32).fill(7),
    redis: { url: 'rediss://user:word@redis.corp:6380/2', key: new Uint8Array(32).fill(7) },
    s3: { endpoint: 'http://127.0.0.1:9000', bucket: 'lamina', region: 'auto' },
  })
})

test.each([
  ['PORT', 'http'],
  ['PORT', '70000'],
  ['HOST', 'not a host'],
  ['LAMINA_ALLOWED_REGISTRIES', 'https://ghcr.io'],
  ['LAMINA_PRIVATE_REGISTRIES', '10.0.0.0/40'],
  ['LAMINA_INSECURE_REGISTRIES', 'a b'],
  ['LAMINA_CREDENTIALS', 'not json'],
  ['LAMINA_CREDENTIALS_2', '{"auths":[]}'],
  ['LAMINA_TOKENS', 'two words'],
  ['LAMINA_PUBLIC_BADGES', 'library/UPPER'],
  ['LAMINA_MAX_LAYER_BYTES', '20 gigs'],
  ['LAMINA_MAX_IMAGE_BYTES', '0'],
  ['LAMINA_MAX_ENTRIES', '-1'],
  ['LAMINA_MAX_ZSTD_WINDOW', '8M'],
  ['LAMINA_MAX_ANALYSES', '0'],
  ['LAMINA_DOCKER_HOST', '/var/run/docker.sock'],
  ['LAMINA_DOCKER_WATCH', 'yes'],
  ['LAMINA_DOCKER_WATCH', '1'],
  ['LAMINA_RATE', 'often'],
  ['REDIS_URL', 'http://redis.corp'],
  ['LAMINA_KEY', Buffer.alloc(31).toString('base64')],
  ['LAMINA_KEY', `${KEY}, and more`],
  ['S3_ENDPOINT', 'somewhere'],
])('%s=%s prevents the start with an explanation', (name, value) => {
  const settings = { S3_BUCKET: 'lamina', [name]: value }
  expect(() => parseConfiguration(settings, 'node')).toThrow(new RegExp(`^${name} `))
})

test('an engine over TLS uses Docker’s certificates, a socket needs none', () => {
  const certificatesOf = (settings: Record<string, string>) =>
    parseConfiguration({ DOCKER_TLS_VERIFY: '1', ...settings }, 'node').dockerCertificates
  const tcp = { LAMINA_DOCKER_HOST: 'tcp://engine.corp:2376' }
  expect(certificatesOf({ ...tcp, HOME: '/home/me' })).toBe('/home/me/.docker')
  expect(certificatesOf({ LAMINA_DOCKER_HOST: 'unix:///var/run/docker.sock' })).toBeUndefined()
  expect(() => certificatesOf(tcp)).toThrow(/^DOCKER_TLS_VERIFY without DOCKER_CERT_PATH/)
})

test('a store without a bucket is refused', () => {
  expect(() => parseConfiguration({ S3_ENDPOINT: 'http://s3.corp' }, 'node')).toThrow(/^S3_BUCKET /)
})

test('a queue without a key for encrypting its jobs is refused', () => {
  expect(() => parseConfiguration({ REDIS_URL: 'redis://redis.corp' }, 'node')).toThrow(/^LAMINA_KEY /)
})

test('settings that a deployed Worker does not support are refused there', () => {
  const settings = { LAMINA_PRIVATE_REGISTRIES: '10.0.0.0/8' }
  expect(() => parseConfiguration(settings, 'worker')).toThrow(/^LAMINA_PRIVATE_REGISTRIES /)
})

test('credentials are never lent by mistake', () => {
  const lent = { LAMINA_CREDENTIALS: dockerConfig('ghcr.io', 'bot') }
  expect(parseConfiguration(lent, 'node').credentials.size).toBe(1)
  expect(() => parseConfiguration({ ...lent, HOST: '0.0.0.0' }, 'node')).toThrow(/LAMINA_TOKENS/)
  expect(() => parseConfiguration(lent, 'worker')).toThrow(/LAMINA_TOKENS/)
  expect(parseConfiguration({ ...lent, HOST: '0.0.0.0', LAMINA_TOKENS: 'abc' }, 'node').tokens).toEqual([
    'abc',
  ])
})

test('a secret that cannot be read is not repeated', () => {
  const secret = '{"auths": {"ghcr.io": {"auth": hunter2}}}'
  expect(() => parseConfiguration({ LAMINA_CREDENTIALS: secret }, 'node')).toThrow(/^(?!.*hunter2)/)
  for (const name of ['REDIS_URL', 'LAMINA_RATE'])
    expect(() => parseConfiguration({ [name]: 'hunter2' }, 'node')).toThrow(/^(?!.*hunter2)/)
})

test.each(['127.0.0.1', '127.8.0.9', 'localhost', '::1', '[::1]', '::ffff:127.0.0.1'])(
  '%s is loopback',
  (host) => {
    expect(isLoopback(host)).toBe(true)
  },
)

test.each(['', '0.0.0.0', '10.0.0.1', '::', 'localhost.evil.example', '127.0.0.1.evil.example'])(
  '%j is not loopback',
  (host) => {
    expect(isLoopback(host)).toBe(false)
  },
)
