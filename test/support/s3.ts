/** An S3 for tests: the API that Miniflare offers for its R2. */
import { Miniflare } from 'miniflare'
import { S3Store } from '../../workers/node/store/s3-store.ts'

const KEYS = { accessKeyId: 'test-key', secretAccessKey: 'test-secret' }
const BUCKET = 'lamina-test'

export type TestS3 = {
  /** The service's settings for it. */
  readonly settings: Readonly<Record<string, string>>
  stop(): Promise<void>
}

export type S3Options = {
  /** A free port by default. */
  readonly port?: number
  /** A folder for the objects, which outlives it; by default they are deleted with it. */
  readonly data?: string
}

export async function startS3({ port = 0, data }: S3Options = {}): Promise<TestS3> {
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port,
    ...(data === undefined ? {} : { resourcePersistencePath: data }),
    cf: false,
    telemetry: { enabled: false },
    workers: [
      {
        config: {
          name: 'storage',
          compatibilityDate: '2026-11-01',
          manifest: {
            mainModule: 'worker.js',
            modulesRoot: '/',
            modules: { 'worker.js': { type: 'esm', contents: 'export default {}' } },
          },
          env: { BUCKET: { type: 'r2', name: BUCKET, dev: { experimentalS3Credentials: KEYS } } },
        },
      },
    ],
  })
  const { origin } = await miniflare.ready
  return {
    settings: {
      S3_ENDPOINT: `${origin}/cdn-cgi/local/r2/s3`,
      S3_BUCKET: BUCKET,
      S3_REGION: 'auto',
      AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    },
    stop: () => miniflare.dispose(),
  }
}

/** What a service with these settings stores there. It needs the keys in the environment, as the service does. */
export function s3Store({ settings }: TestS3): S3Store {
  const { S3_ENDPOINT: endpoint = '', S3_BUCKET: bucket = '', S3_REGION: region = '' } = settings
  return new S3Store({ endpoint, bucket, region })
}
