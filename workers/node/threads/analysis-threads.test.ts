import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest'
import { parseConfiguration } from '../../../src/configuration.ts'
import type { Jobs } from '../../../src/host.ts'
import type { LayerJob } from '../../../src/job.ts'
import type { Service } from '../../../src/open/service.ts'
import { FixtureRegistry } from '../../../test/registry/fixture.ts'
import { makeImage, makeLayer, type TestLayer } from '../../../test/support/images.ts'
import { SETTINGS, temporaryData } from '../../../test/support/service.ts'
import { createService } from '../host.ts'
import { AnalysisThreads } from './analysis-threads.ts'

const MEBIBYTE = 1024 * 1024

let registry: FixtureRegistry
let data: string
let service: Service
let threads: AnalysisThreads
/** How many layers got a second thread. */
let seconds: number
let posted: MockInstance<Worker['postMessage']>

const noJobs: Jobs = {
  start: () => Promise.reject(new Error('no jobs')),
  watch: () => Promise.resolve(undefined),
}

beforeEach(async () => {
  registry = await FixtureRegistry.start()
  data = await temporaryData()
  const env = { ...SETTINGS, LAMINA_DATA: data }
  const configuration = parseConfiguration(env, 'node')
  service = await createService(configuration, noJobs, () => {})
  seconds = 0
  const metrics = { layer() {}, stored() {}, secondThread: () => void seconds++ }
  threads = new AnalysisThreads({ threads: 2, env, limits: configuration.limits, metrics })
  threads.prepare()
  posted = vi.spyOn(Worker.prototype, 'postMessage')
})

afterEach(async () => {
  vi.restoreAllMocks()
  await threads.stop()
  await registry.close()
  await rm(data, { recursive: true, force: true })
})

function noiseOf(mebibytes: number): Promise<TestLayer> {
  return makeLayer([{ name: 'noise', content: randomBytes(mebibytes * MEBIBYTE) }])
}

/** Pushes layers, and reads each. */
function readAll(layers: readonly TestLayer[], signal = new AbortController().signal): Promise<void>[] {
  const image = makeImage(layers)
  registry.push('app', 'v1', image)
  const source = { kind: 'registry', registry: registry.host, repository: 'app' } as const
  return layers.map(({ descriptor }) => {
    const job: LayerJob = { kind: 'layer', source, image: image.descriptor.digest, descriptor }
    return threads.layer(service, job, () => {}, signal)
  })
}

/** The thread that reads a layer, or the second one. */
function workerOf(which: 'own' | 'second'): Promise<Worker> {
  return vi.waitFor(() => {
    const at = posted.mock.calls.findIndex(
      ([{ task }]) => which === (task && 'port' in task ? 'second' : 'own'),
    )
    const worker: unknown = posted.mock.contexts[at]
    return worker instanceof Worker ? worker : expect.fail(`no ${which} thread yet`)
  }, 60_000)
}

/** Blobs stop after 2 MiB, until the promise resolves. */
function hold(until: Promise<unknown> = new Promise(() => {})): void {
  registry.fault({ path: /blobs/ }, { holdAfter: { bytes: 2 * MEBIBYTE, until } }, 100)
}

describe('a large layer', () => {
  it('gets a second thread, also beside small ones', async () => {
    await Promise.all(readAll([await noiseOf(17), await noiseOf(1), await noiseOf(0)]))
    expect(seconds).toBe(1)
  })

  it('gets none if it is not that large', async () => {
    await Promise.all(readAll([await noiseOf(15)]))
    expect(seconds).toBe(0)
  })

  it('gets none beside another large layer, which needs the core', async () => {
    const both = Promise.withResolvers<void>()
    hold(both.promise)
    const reading = readAll([await noiseOf(17), await noiseOf(18)])
    await vi.waitFor(() => expect(registry.count({ path: /blobs/ })).toBe(2), 60_000)
    both.resolve()
    await Promise.all(reading)
    expect(seconds).toBe(0)
  })

  it('fails if its second thread ends, and says so; the next one succeeds', async () => {
    hold()
    const layer = await noiseOf(17)
    const [reading] = readAll([layer])
    const failed = expect(reading).rejects.toThrow(`the thread of the layer ${layer.descriptor.digest} ended`)
    await (await workerOf('second')).terminate()
    await failed
    registry.clearFaults()
    await Promise.all(readAll([layer]))
  })

  it.each(['is cancelled', 'loses its own thread'])('frees its second thread when it %s', async (what) => {
    hold()
    const cancelled = new AbortController()
    const [reading] = readAll([await noiseOf(17)], cancelled.signal)
    const failed = expect(reading).rejects.toThrow(what === 'is cancelled' ? 'aborted' : 'ended')
    const [own, second] = [await workerOf('own'), await workerOf('second')]
    const freed = once(second, 'message')
    if (what === 'is cancelled') cancelled.abort(new Error('cancelled'))
    else await own.terminate()
    await failed
    expect(await freed).toMatchObject([{ kind: 'outcome' }])
  })
})
