import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { follow } from '../follow-job.ts'
import { type Job, jobKey } from '../job.ts'
import { Problem } from '../problem.ts'
import { JobRunner, type RunnerLimits, type Work } from './runner.ts'

const job = (digest: string, registry = 'r'): Job => ({
  kind: 'image',
  source: { kind: 'registry', registry, repository: 'a' },
  digest,
})
const limits = { analyses: 1, queuedAnalyses: 1, layers: 1 }

async function last(runner: JobRunner, of: Job, milliseconds = 5_000) {
  const states = []
  for await (const state of follow(runner, of, milliseconds)) states.push(state.status)
  return states
}

describe('a runner', () => {
  it('runs a job once, however many ask for it', async () => {
    let runs = 0
    const runner = new JobRunner(async () => {
      runs++
      await new Promise((resolve) => setTimeout(resolve, 10))
    }, limits)
    const all = await Promise.all(Array.from({ length: 20 }, () => last(runner, job('sha256:1'))))
    expect(runs).toBe(1)
    expect(all.every((states) => states.at(-1) === 'succeeded')).toBe(true)
  })

  it('reports progress, and a failure as a problem', async () => {
    const runner = new JobRunner(async (_, report) => {
      report({ layers: 2, layersDone: 1, layersReused: 0, bytes: 10, bytesDone: 5 })
      throw new Problem('registry_error', 'gone', { registryStatus: 500 })
    }, limits)
    await last(runner, job('sha256:1'))
    const state = await runner.watch(jobKey(job('sha256:1')), 0, 0)
    expect(state).toMatchObject({
      status: 'failed',
      progress: { layersDone: 1 },
      error: { code: 'registry_error', detail: 'gone', registryStatus: 500 },
    })
  })

  it('wakes watchers for progress alone only as often as it is told to', async () => {
    vi.useFakeTimers({ now: 0 })
    onTestFinished(() => void vi.useRealTimers())
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    let tell: (bytesDone: number) => void = () => {}
    const runner = new JobRunner(
      (_, report) => {
        tell = (bytesDone) => report({ layers: 1, layersDone: 0, layersReused: 0, bytes: 9, bytesDone })
        return released
      },
      { ...limits, progressMilliseconds: 1_000 },
    )
    await runner.start(job('sha256:1'))
    const versions = new Set<number | undefined>()
    for (let second = 1; second <= 50; second++) {
      await vi.advanceTimersByTimeAsync(200)
      tell(second)
      versions.add((await runner.watch(jobKey(job('sha256:1')), -1, 0))?.version)
    }
    // In ten seconds; the first is the version before any progress.
    expect(versions.size).toBe(9)
    release()
    await runner.idle()
  })

  it('hides internal details if the failure is its own', async () => {
    const runner = new JobRunner(async () => {
      throw new Error('secret path')
    }, limits)
    await last(runner, job('sha256:1'))
    const state = await runner.watch(jobKey(job('sha256:1')), 0, 0)
    expect(state?.error?.code).toBe('internal_error')
    expect(JSON.stringify(state)).not.toContain('secret')
  })

  it('repeats a failure for a while instead of retrying, but runs a successful job again when asked', async () => {
    let runs = 0
    const work: Work = async (which) => {
      runs++
      if (which.kind === 'image' && which.digest === 'sha256:bad') throw new Problem('registry_error', 'no')
    }
    const runner = new JobRunner(work, limits)
    await last(runner, job('sha256:bad'))
    await last(runner, job('sha256:bad'))
    expect(runs).toBe(1)
    await last(runner, job('sha256:good'))
    await last(runner, job('sha256:good'))
    expect(runs).toBe(3)
  })

  it.each(['store_error', 'internal_error'] as const)('retries at once after %s', async (code) => {
    let runs = 0
    const runner = new JobRunner(async () => {
      if (++runs === 1) throw new Problem(code, 'not the image', { retryAfter: 5 })
    }, limits)
    expect((await last(runner, job('sha256:1'))).at(-1)).toBe('failed')
    expect((await last(runner, job('sha256:1'))).at(-1)).toBe('succeeded')
  })

  it('retries when the failure said to, if that is sooner', async () => {
    vi.useFakeTimers({ now: 0 })
    onTestFinished(() => void vi.useRealTimers())
    let runs = 0
    const runner = new JobRunner(async () => {
      runs++
      throw new Problem('registry_error', 'rate limited', { retryAfter: 5 })
    }, limits)
    for (const [milliseconds, expected] of [
      [0, 1],
      [4_999, 1],
      [5_000, 2],
      [9_999, 2],
      [10_000, 3],
    ] as const) {
      vi.setSystemTime(milliseconds)
      await runner.start(job('sha256:1'))
      await runner.idle()
      expect(runs, `after ${milliseconds} ms`).toBe(expected)
    }
  })

  it('queues beyond its limit, and refuses when the queue is full', async () => {
    const open: (() => void)[] = []
    const runner = new JobRunner(() => new Promise((resolve) => open.push(resolve)), limits)
    await runner.start(job('sha256:1'))
    expect((await runner.start(job('sha256:2'))).status).toBe('queued')
    expect(runner.counts).toEqual({ running: 1, queued: 1 })
    await expect(runner.start(job('sha256:3'))).rejects.toMatchObject({ code: 'rate_limited' })
    open[0]?.()
    await runner.settled(jobKey(job('sha256:1')))
    await runner.watch(jobKey(job('sha256:2')), 2, 100)
    expect(runner.counts).toEqual({ running: 1, queued: 0 })
    open[1]?.()
    await runner.idle()
  })

  it('a job that nobody waits for gives its slot to the next one', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const runner = new JobRunner(() => released, { ...limits, abandoned: { image: 30, layer: 30 } })
    await runner.start(job('sha256:1'))
    const abandoned = await runner.start(job('sha256:2'))
    expect(abandoned.status).toBe('queued')
    await runner.settled(jobKey(job('sha256:2')))
    expect((await runner.start(job('sha256:3'))).status).toBe('queued')
    release()
    await runner.idle()
  })

  describe('while others wait', () => {
    type Begun = { readonly report: Parameters<Work>[1]; readonly signal: AbortSignal; end(): void }

    /** @returns a runner, of one job at a time by default, and every attempt it started */
    function begin(limited: RunnerLimits = limits): {
      readonly runner: JobRunner
      readonly begun: Map<string, Begun[]>
    } {
      vi.useFakeTimers({ now: 0 })
      onTestFinished(() => void vi.useRealTimers())
      const begun = new Map<string, Begun[]>()
      const work: Work = (which, report, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
          const digest = which.kind === 'image' ? which.digest : ''
          begun.set(digest, [...(begun.get(digest) ?? []), { report, signal, end: resolve }])
        })
      return { runner: new JobRunner(work, { ...limited, patienceMilliseconds: 10_000 }), begun }
    }
    const progress = { layers: 2, layersDone: 0, layersReused: 0, bytes: 1e9, bytesDone: 20_000 }
    const waited = (seconds: number) => ({ ...progress, waitedMilliseconds: 1_000 * seconds })

    it('a job with a slow source gives up its slot, and starts again when the others are done', async () => {
      const { runner, begun } = begin()
      await runner.start(job('slow'))
      await runner.start(job('quick'))
      begun.get('slow')?.[0]?.report(waited(9))
      expect(begun.get('slow')?.[0]?.signal.aborted).toBe(false)
      begun.get('slow')?.[0]?.report(waited(10))
      expect(begun.get('slow')?.[0]?.signal.aborted).toBe(true)
      await vi.advanceTimersByTimeAsync(0)
      expect((await runner.watch(jobKey(job('slow')), -1, 0))?.status).toBe('queued')
      begun.get('quick')?.[0]?.end()
      await runner.settled(jobKey(job('quick')))
      await vi.advanceTimersByTimeAsync(0)
      begun.get('slow')?.[1]?.end()
      await runner.settled(jobKey(job('slow')))
      expect((await runner.watch(jobKey(job('slow')), -1, 0))?.status).toBe('succeeded')
    })

    it('each time it starts again it keeps its slot for twice as long', async () => {
      const { runner, begun } = begin()
      await runner.start(job('slow'))
      for (const [round, seconds] of [10, 20, 40, 80, 160, 320, 480, 480].entries()) {
        const waiting = job(`waits-${round}`)
        await runner.start(waiting)
        begun.get('slow')?.[round]?.report(waited(seconds - 1))
        expect(begun.get('slow')?.[round]?.signal.aborted).toBe(false)
        begun.get('slow')?.[round]?.report(waited(seconds))
        expect(begun.get('slow')?.[round]?.signal.aborted).toBe(true)
        await vi.advanceTimersByTimeAsync(0)
        begun.get(`waits-${round}`)?.[0]?.end()
        await vi.advanceTimersByTimeAsync(0)
      }
    })

    it.each([
      ['whose source is fast', { ...waited(100), bytesDone: 5e8 }],
      ['whose layers are all there', { ...waited(100), layersDone: 2 }],
      ['whose bytes have all come', { ...waited(100), bytes: 20_000 }],
      ['that computes, or waits for the machine,', waited(2)],
    ])('one %s keeps its slot', async (_, told) => {
      const { runner, begun } = begin()
      await runner.start(job('first'))
      await runner.start(job('second'))
      begun.get('first')?.[0]?.report(told)
      await vi.advanceTimersByTimeAsync(100_000)
      begun.get('first')?.[0]?.report(told)
      expect(begun.get('first')?.[0]?.signal.aborted).toBe(false)
    })

    it('slow sources leave room for others, however many of their jobs wait', async () => {
      const { runner, begun } = begin({ ...limits, analyses: 4, queuedAnalyses: 100 })
      const of = (registry: string) => job(registry, registry)
      const slow = Array.from({ length: 8 }, (_, place) => `slow-${place}.example`)
      for (const registry of slow) await runner.start(of(registry))
      // Each is known to be slow once it has waited for a while, and lets the next one in.
      for (const registry of slow) {
        await vi.advanceTimersByTimeAsync(0)
        begun.get(registry)?.[0]?.report(waited(10))
      }
      await vi.advanceTimersByTimeAsync(0)
      await runner.start(of('quick.example'))
      // A second passes. Attempts that ended report to nobody.
      for (const registry of slow) for (const { report } of begun.get(registry) ?? []) report(waited(11))
      await vi.advanceTimersByTimeAsync(0)
      expect(begun.get('quick.example')).toHaveLength(1)
    })

    it('one that holds up no other keeps its slot too', async () => {
      const { runner, begun } = begin()
      await runner.start(job('slow'))
      await vi.advanceTimersByTimeAsync(0)
      begun.get('slow')?.[0]?.report(waited(100))
      expect(begun.get('slow')?.[0]?.signal.aborted).toBe(false)
    })
  })

  it('returns when the time is up, with the job still running', async () => {
    vi.useFakeTimers({ now: 0 })
    onTestFinished(() => void vi.useRealTimers())
    const { promise, resolve } = Promise.withResolvers<void>()
    const runner = new JobRunner(() => promise, limits)
    const states = last(runner, job('sha256:1'), 20)
    await vi.advanceTimersByTimeAsync(20)
    expect((await states).at(-1)).toBe('running')
    resolve()
    await runner.idle()
  })

  it('gives up a job that nobody waits for, and starts it again for the next caller', async () => {
    let runs = 0
    const work: Work = (_, __, signal) => {
      runs++
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    const runner = new JobRunner(work, { ...limits, abandoned: { image: 30, layer: 30 } })
    await last(runner, job('sha256:1'), 60)
    expect(runs).toBe(1)
    await runner.settled(jobKey(job('sha256:1')))
    expect((await runner.start(job('sha256:1'))).status).toBe('queued')
    await runner.idle()
    expect(runs).toBe(2)
  })

  it('remembers a finished job for a minute, without a timer that would keep its host awake', async () => {
    vi.useFakeTimers({ now: 0 })
    onTestFinished(() => void vi.useRealTimers())
    const runner = new JobRunner(async () => {}, limits)
    await last(runner, job('sha256:1'))
    const key = jobKey(job('sha256:1'))
    await runner.settled(key)
    expect(vi.getTimerCount()).toBe(0)
    vi.setSystemTime(60_000)
    expect(await runner.watch(key, 0, 0)).toMatchObject({ status: 'succeeded' })
    vi.setSystemTime(60_001)
    expect(await runner.watch(key, 0, 0)).toBeUndefined()
  })

  it('does not know a job that never existed', async () => {
    expect(await new JobRunner(async () => {}, limits).watch('image/x', 0, 10)).toBeUndefined()
  })
})
