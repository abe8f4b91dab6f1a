import { expect, it } from 'vitest'
import { Memory } from './memory.ts'

it("a thread's caches get a share of the host's cache sizes", () => {
  const [host, thread] = [new Memory(), new Memory(1 / 4)]
  for (let at = 0; at < 10; at++)
    for (const { answers } of [host, thread]) answers.set(`${at}`, new Uint8Array(2 ** 20))
  expect([host.answers.size, thread.answers.size]).toEqual([5, 1])
})
