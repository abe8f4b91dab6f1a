/** Which tests run where, and how long they may take. */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/**
 * A slow or busy machine is not a failure: what a test waits for comes, or never does. A test of `npm run test:long` may take a
 * quarter of an hour.
 */
const PATIENCE = {
  testTimeout: process.env.LAMINA_LONG === '1' ? 900_000 : 180_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 120_000 } },
}

/** Node compiles the code of services and threads once, not in each process that runs it. */
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url))

/**
 * Tests run on Node; those named `*.workerd.test.ts` inside workerd, with the Worker's own bindings. Those named `*.slow.test.ts` kill
 * services, fill memory or disks, wait for long pauses, or open a browser: `npm test` leaves them to `npm run test:all`. Those named
 * `*.redis.test.ts` need `redis-server`, so they run by `npm run test:redis` alone.
 */
export default defineConfig({
  test: {
    // Most tests wait for a service more than they compute.
    maxWorkers: Math.ceil(1.5 * availableParallelism()),
    reporters: ['default', './test/support/left-out.ts'],
    projects: [
      {
        test: {
          name: 'node',
          include: ['{src,workers,cli,test}/**/*.test.ts'],
          exclude: ['**/*.{workerd,redis,slow}.test.ts'],
          ...PATIENCE,
        },
      },
      {
        test: {
          name: 'slow',
          include: ['{src,workers,cli,test}/**/*.slow.test.ts'],
          ...PATIENCE,
        },
      },
      {
        test: {
          name: 'redis',
          include: ['{workers,test}/**/*.redis.test.ts'],
          ...PATIENCE,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: {
          name: 'workerd',
          globalSetup: './test/registry/workerd-server.ts',
          include: ['{src,workers,test}/**/*.workerd.test.ts'],
          ...PATIENCE,
        },
      },
    ],
  },
})
