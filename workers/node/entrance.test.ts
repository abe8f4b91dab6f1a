import { expect, it } from 'vitest'
import { Entrance } from './entrance.ts'

/** Counts the turns of the event loop while the test runs. */
function turnsOf(): { readonly now: () => number; stop(): void } {
  let turn = 0
  let immediate = setImmediate(function count() {
    turn++
    immediate = setImmediate(count)
  })
  return { now: () => turn, stop: () => clearImmediate(immediate) }
}

it('a single request starts at once', async () => {
  const turns = turnsOf()
  await new Entrance().enter()
  expect(turns.now()).toBe(0)
  turns.stop()
})

it('simultaneous requests start in order, one per turn of the event loop', async () => {
  const entrance = new Entrance()
  const turns = turnsOf()
  const began: { readonly place: number; readonly turn: number }[] = []
  const enter = async (place: number) => {
    await entrance.enter()
    began.push({ place, turn: turns.now() })
  }
  await Promise.all(Array.from({ length: 20 }, (_, place) => enter(place)))
  turns.stop()
  expect(began.map(({ place }) => place)).toEqual(Array.from({ length: 20 }, (_, place) => place))
  expect(new Set(began.map(({ turn }) => turn)).size).toBe(20)
})

it('later requests do not wait', async () => {
  const entrance = new Entrance()
  await Promise.all([entrance.enter(), entrance.enter()])
  await new Promise((resolve) => setImmediate(resolve))
  const turns = turnsOf()
  await entrance.enter()
  expect(turns.now()).toBe(0)
  turns.stop()
})
