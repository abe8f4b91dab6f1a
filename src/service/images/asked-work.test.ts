import { once } from 'node:events'
import { expect, it } from 'vitest'
import { Problem } from '../../problem.ts'
import { AskedWork } from './asked-work.ts'

/** Work that somebody else ends. */
function heldWork() {
  const held = Promise.withResolvers<string>()
  const begun: AbortSignal[] = []
  const asking = (seconds: number, signal = new AbortController().signal) => ({
    progress: 0,
    seconds,
    signal,
    begin: (cancelled: AbortSignal, report: (progress: number) => void) => {
      begun.push(cancelled)
      cancelled.addEventListener('abort', () => held.reject(cancelled.reason))
      report(1)
      return held.promise
    },
  })
  return { held, begun, asking }
}

it('goes on between requests, and is done once for all who ask', async () => {
  const work = new AskedWork<string, number>()
  const { held, begun, asking } = heldWork()
  expect(await work.ask('a', asking(0.01))).toEqual({ progress: 1 })
  const others = [work.ask('a', asking(60)), work.ask('a', asking(60))]
  held.resolve('done')
  expect(await Promise.all(others)).toEqual([expect.objectContaining({ result: 'done' }), expect.anything()])
  expect(await work.ask('a', asking(0))).toMatchObject({ result: 'done' })
  expect(begun).toHaveLength(1)
})

it('is cancelled when nobody asks any more, and begins again for the next', async () => {
  const work = new AskedWork<string, number>(5)
  const first = heldWork()
  await work.ask('a', first.asking(0.01))
  const [cancelled] = first.begun
  if (cancelled === undefined) throw new Error('not begun')
  if (!cancelled.aborted) await once(cancelled, 'abort')
  await first.held.promise.catch(() => {})
  const second = heldWork()
  second.held.resolve('again')
  expect(await work.ask('a', second.asking(60))).toMatchObject({ result: 'again' })
})

it('goes on while one of two still asks', async () => {
  const work = new AskedWork<string, number>(5)
  const { held, begun, asking } = heldWork()
  await work.ask('a', asking(0))
  const stays = work.ask('a', asking(60))
  const leaver = new AbortController()
  const leaves = work.ask('a', asking(60, leaver.signal))
  leaver.abort(new Error('left'))
  await expect(leaves).rejects.toThrow('left')
  // Longer than it may be abandoned.
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(begun.map(({ aborted }) => aborted)).toEqual([false])
  held.resolve('done')
  expect(await stays).toMatchObject({ result: 'done' })
})

it('tells a failure once, then begins again', async () => {
  const work = new AskedWork<string, number>()
  const failing = heldWork()
  await work.ask('a', failing.asking(0))
  failing.held.reject(new Problem('invalid_image', 'cut off'))
  await expect(work.ask('a', failing.asking(60))).rejects.toMatchObject({ code: 'invalid_image' })
  const { held, asking } = heldWork()
  held.resolve('done')
  expect(await work.ask('a', asking(60))).toMatchObject({ result: 'done' })
})

it('takes no more than it can watch', async () => {
  const work = new AskedWork<string, number>(60_000)
  const held = Array.from({ length: 100 }, heldWork)
  for (const [n, one] of held.entries()) await work.ask(`${n}`, one.asking(0))
  await expect(work.ask('more', heldWork().asking(0))).rejects.toMatchObject({ code: 'rate_limited' })
  for (const one of held) one.held.resolve('done')
  await Promise.all(held.map((one, n) => work.ask(`${n}`, one.asking(60))))
})
