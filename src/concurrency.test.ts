import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { allOf, inParallel } from './concurrency.ts'

test('returns all values in the order of the work', async () => {
  expect(await allOf([sleep(2, 'slow'), sleep(1, 2)])).toEqual(['slow', 2])
})

test('a failure is reported once the others have ended', async () => {
  let ended = false
  const slow = sleep(5).then(() => {
    ended = true
  })
  await expect(allOf([Promise.reject(new Error('at once')), slow])).rejects.toThrow('at once')
  expect(ended).toBe(true)
})

test('runs at most the limit at once', async () => {
  let running = 0
  let most = 0
  const done: number[] = []
  const doubled = await inParallel([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, ++running)
    await sleep(1)
    running--
    done.push(item)
    return 2 * item
  })
  expect(most).toBe(2)
  expect(done).toEqual([1, 2, 3, 4, 5])
  expect(doubled).toEqual([2, 4, 6, 8, 10])
})

test('after a failure starts nothing more and waits for what is running', async () => {
  const ended: number[] = []
  const running = inParallel([1, 2, 3], 2, async (item) => {
    if (item === 1) throw new Error('the first')
    await sleep(5)
    ended.push(item)
  })
  await expect(running).rejects.toThrow('the first')
  expect(ended).toEqual([2])
})
