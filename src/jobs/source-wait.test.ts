import { expect, it, onTestFinished, vi } from 'vitest'
import { SourceWait } from './source-wait.ts'

function begin() {
  vi.useFakeTimers({ now: 0 })
  const told: number[] = []
  const wait: SourceWait = new SourceWait(() => told.push(wait.milliseconds))
  onTestFinished(() => {
    wait.stop()
    vi.useRealTimers()
  })
  return { wait, told }
}

it('waiting is counted each second until something arrives', async () => {
  const { wait, told } = begin()
  const { promise, resolve } = Promise.withResolvers<string>()
  const waited = wait.for(promise)
  await vi.advanceTimersByTimeAsync(3_500)
  expect(told).toEqual([1_000, 2_000, 3_000])
  resolve('bytes')
  expect(await waited).toBe('bytes')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(told).toEqual([1_000, 2_000, 3_000])
})

it('a failure ends the wait', async () => {
  const { wait, told } = begin()
  await expect(wait.for(Promise.reject(new Error('cut')))).rejects.toThrow('cut')
  await vi.advanceTimersByTimeAsync(5_000)
  expect(told).toEqual([])
})

it('processing between two pieces does not count, however long it takes', async () => {
  const { wait, told } = begin()
  for (let piece = 0; piece < 10; piece++) {
    await wait.for(Promise.resolve(piece))
    await vi.advanceTimersByTimeAsync(5_000)
  }
  expect([told, wait.milliseconds]).toEqual([[], 0])
})

it('a piece that arrived while the thread was busy does not count as waiting', async () => {
  const { wait, told } = begin()
  const arrived = Promise.withResolvers<void>()
  const waited = wait.for(arrived.promise)
  // The timer fires first, then the data is handled.
  vi.advanceTimersByTime(1_000)
  arrived.resolve()
  await waited
  await vi.advanceTimersByTimeAsync(0)
  expect([told, wait.milliseconds]).toEqual([[], 0])
})
