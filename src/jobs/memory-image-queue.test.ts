import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { QueuedImage, QueuedImageEnd } from '../job.ts'
import { Problem } from '../problem.ts'
import { type ImageQueueLimits, MemoryImageQueue } from './memory-image-queue.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const queued = (image: string): QueuedImage => ({ image, analyses: [`analysis of ${image}`] })
const AGAIN: QueuedImageEnd = { again: { seconds: 10, problem: new Problem('registry_error', 'it failed') } }

function start(
  limits: Partial<ImageQueueLimits>,
  end: (image: string, attempt: number) => Promise<QueuedImageEnd>,
) {
  const ran: string[] = []
  const givenUp: string[] = []
  const run = ({ image }: QueuedImage, attempt: number) => {
    ran.push(`${image} ${attempt}`)
    return end(image, attempt)
  }
  const giveUp = async ({ image }: QueuedImage, { message }: Problem) =>
    void givenUp.push(`${image}: ${message}`)
  return { imageQueue: new MemoryImageQueue({ run, giveUp }, { atOnce: 2, ...limits }), ran, givenUp }
}

it('runs a limited number at once, in order, and reports what it holds', async () => {
  const release: (() => void)[] = []
  const { imageQueue, ran } = start({}, () => new Promise((resolve) => release.push(() => resolve({}))))
  await imageQueue.add(['a', 'b', 'c'].map(queued))
  expect(ran).toEqual(['a 1', 'b 1'])
  expect(await imageQueue.holds('analysis of c')).toBe(true)
  release[0]?.()
  await vi.waitFor(() => expect(ran).toEqual(['a 1', 'b 1', 'c 1']))
  expect(await imageQueue.holds('analysis of a')).toBe(false)
})

it('refuses a batch as a whole if it has no room for all of it', async () => {
  const { imageQueue, ran } = start({ most: 2 }, () => new Promise(() => {}))
  await expect(imageQueue.add(['a', 'b', 'c'].map(queued))).rejects.toMatchObject({ code: 'rate_limited' })
  expect(ran).toEqual([])
  await imageQueue.add(['a', 'b'].map(queued))
  await expect(imageQueue.add([queued('c')])).rejects.toMatchObject({ code: 'rate_limited' })
})

it('retries temporary failures, then gives up', async () => {
  const { imageQueue, ran, givenUp } = start({ attempts: 3 }, async (image) => (image === 'bad' ? AGAIN : {}))
  await imageQueue.add([queued('bad'), queued('good')])
  await vi.advanceTimersByTimeAsync(9_000)
  expect(ran).toEqual(['bad 1', 'good 1'])
  expect(await imageQueue.holds('analysis of bad')).toBe(true)
  await vi.advanceTimersByTimeAsync(30_000)
  expect(ran).toEqual(['bad 1', 'good 1', 'bad 2', 'bad 3'])
  expect(givenUp).toEqual(['bad: it failed'])
  expect(await imageQueue.holds('analysis of bad')).toBe(false)
})

it('starts nothing more once it is stopped', async () => {
  const { imageQueue, ran } = start({ atOnce: 1 }, async () => AGAIN)
  await imageQueue.add([queued('a')])
  await vi.advanceTimersByTimeAsync(0)
  imageQueue.stop()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(ran).toEqual(['a 1'])
})

it('a store that fails ends nothing: the image runs again, and its failure is recorded later', async () => {
  const told: string[] = []
  let isAway = true
  const imageQueue = new MemoryImageQueue(
    {
      run: () => Promise.reject(new Error('the store is away')),
      giveUp: async (_, { message }) => {
        if (isAway) throw new Error('the store is away')
        told.push(message)
      },
    },
    { atOnce: 1, attempts: 2 },
  )
  await imageQueue.add([queued('a')])
  await vi.advanceTimersByTimeAsync(300_000)
  expect(await imageQueue.holds('analysis of a')).toBe(true)
  isAway = false
  await vi.advanceTimersByTimeAsync(60_000)
  expect(told).toEqual(['the analysis failed because of an internal error'])
  expect(await imageQueue.holds('analysis of a')).toBe(false)
})
