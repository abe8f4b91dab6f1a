/** A thread whose tasks misbehave in every way a task can. */
import { setTimeout as sleep } from 'node:timers/promises'
import { threadId } from 'node:worker_threads'
import { READING } from '../../src/layer/decode/zstd-memory.ts'
import { serveTasks } from '../../workers/node/threads/serve-tasks.ts'

export type HostileTask =
  | 'echo'
  | 'late'
  | 'hang'
  | 'fill'
  | 'exit'
  | 'throw'
  | 'wait'
  | 'deaf'
  | 'busy'
  | 'window'

/** What the task `late` says when the next one runs. */
let sayLate = () => {}

serveTasks<HostileTask, string, string, string>(async (task, { say, listen, signal }) => {
  switch (task) {
    case 'echo':
      sayLate()
      return new Promise((resolve) => {
        listen((word) => resolve(`heard ${word}`))
        say('ready')
      })
    case 'late':
      sayLate = () => say('too late')
      return 'done'
    case 'hang':
      for (;;);
    case 'fill': {
      const all: object[] = []
      for (;;) all.push({ at: all.length })
    }
    case 'exit':
      return process.exit(1)
    case 'throw':
      throw new Error('no problem')
    case 'wait':
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return 'stopped'
    case 'deaf':
      return new Promise(() => {})
    case 'window': {
      const release = await READING.admit(2 ** 27)
      say('admitted')
      await new Promise((resolve) => listen((word) => (word === 'exit' ? process.exit(1) : resolve(word))))
      release()
      return `decoded by thread ${threadId}`
    }
    case 'busy':
      for (;;) {
        const until = performance.now() + 20
        while (performance.now() < until);
        await sleep(0)
      }
  }
})
