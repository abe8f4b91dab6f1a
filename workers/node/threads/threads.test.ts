import { afterAll, describe, expect, it } from 'vitest'
import type { HostileTask } from '../../../test/faults/hostile-thread.ts'
import { type RunOptions, Threads } from './threads.ts'

const file = new URL('../../../test/faults/hostile-thread.ts', import.meta.url)
const threads = new Threads<HostileTask, string, string, string>({
  file,
  env: {},
  heapMegabytes: 48,
  permits: { total: 2, held: 8 },
})

afterAll(() => threads.stop())

function run(task: HostileTask, options: Partial<RunOptions<string>> = {}) {
  return threads.run(task, { what: 'the task', claim: ['a'], cpuSeconds: () => 60, ...options })
}

async function echoes(): Promise<string> {
  const ready = Promise.withResolvers<string>()
  const { outcome, say } = run('echo', { onSaid: ready.resolve })
  await ready.promise
  say('hello')
  return outcome
}

describe('a thread', () => {
  it('exchanges messages', async () => {
    expect(await echoes()).toBe('heard hello')
  })

  it('keeps the messages of its tasks apart', async () => {
    const one = new Threads<HostileTask, string, string, string>({
      file,
      env: {},
      heapMegabytes: 48,
      permits: { total: 1 },
    })
    const heard: string[] = []
    const options = { what: 'the task', claim: ['a'], cpuSeconds: () => 60 }
    const late = one.run('late', { ...options, onSaid: (said) => heard.push(`late ${said}`) })
    await late.outcome
    const ready = Promise.withResolvers<void>()
    const next = one.run('echo', {
      ...options,
      onSaid: (said) => {
        heard.push(said)
        if (said === 'ready') ready.resolve()
      },
    })
    await ready.promise
    late.say('not for you')
    next.say('hello')
    expect(await next.outcome).toBe('heard hello')
    expect(heard).toEqual(['ready'])
    await one.stop()
  })

  it('decodes a large zstd window when no other does, and loses its turn when it ends', async () => {
    const three = new Threads<HostileTask, string, string, string>({
      file,
      env: {},
      heapMegabytes: 48,
      permits: { total: 3 },
    })
    const start = (task: HostileTask, onSaid: () => void) =>
      three.run(task, { what: 'the task', claim: ['a'], cpuSeconds: () => 60, onSaid })
    const heard: string[] = []
    const window = (name: string) => {
      const admitted = Promise.withResolvers<void>()
      const onSaid = () => {
        heard.push(name)
        admitted.resolve()
      }
      return { ...start('window', onSaid), admitted: admitted.promise }
    }
    const first = window('first')
    const ended = expect(first.outcome).rejects.toThrow('ended')
    await first.admitted
    const second = window('second')
    const ready = Promise.withResolvers<void>()
    const third = start('echo', ready.resolve)
    await ready.promise
    third.say('hello')
    await third.outcome
    expect(heard).toEqual(['first'])
    first.say('exit')
    await ended
    await second.admitted
    second.say('decode')
    expect(await second.outcome).toMatch(/^decoded/)
    await three.stop()
  })

  it('that has decoded a large zstd window is replaced, since it would keep the memory', async () => {
    const one = new Threads<HostileTask, string, string, string>({
      file,
      env: {},
      heapMegabytes: 48,
      permits: { total: 1 },
    })
    const window = async () => {
      const admitted = Promise.withResolvers<string>()
      const options = { what: 'the task', claim: ['a'], cpuSeconds: () => 60, onSaid: admitted.resolve }
      const { outcome, say } = one.run('window', options)
      await admitted.promise
      say('decode')
      return outcome
    }
    expect(new Set([await window(), await window(), await window()]).size).toBe(3)
    await one.stop()
  })

  it('that exceeds its budget in one step is terminated, and only its task fails', async () => {
    const hanging = run('hang', { cpuSeconds: () => 0.5 }).outcome
    const others = echoes()
    await expect(hanging).rejects.toMatchObject({
      code: 'too_large',
      message: expect.stringContaining('CPU time'),
    })
    expect(await others).toBe('heard hello')
    expect(await echoes()).toBe('heard hello')
  })

  it('that exceeds its budget in many steps is terminated too', async () => {
    await expect(run('busy', { cpuSeconds: () => 0.5 }).outcome).rejects.toMatchObject({ code: 'too_large' })
  })

  it('may use more as its task makes progress', async () => {
    let budget = 0.2
    const aborted = new AbortController()
    const busy = run('busy', { cpuSeconds: () => (budget += 10), signal: aborted.signal }).outcome
    setTimeout(() => aborted.abort(new Error('enough')), 2_000)
    await expect(busy).rejects.toThrow('enough')
  })

  it('that fills its memory is terminated, and only its task fails', async () => {
    const others = echoes()
    await expect(run('fill').outcome).rejects.toMatchObject({
      code: 'too_large',
      message: expect.stringContaining('48 MB'),
    })
    expect(await others).toBe('heard hello')
    expect(await echoes()).toBe('heard hello')
  })

  it('that dies, or throws, fails its task', async () => {
    await expect(run('exit').outcome).rejects.toThrow('ended')
    await expect(run('throw').outcome).rejects.toThrow('no problem')
    expect(await echoes()).toBe('heard hello')
  })

  it('stops when no one waits, and is terminated if it does not', async () => {
    for (const [task, settles] of [
      ['wait', 'stopped'],
      ['deaf', 'gone'],
    ] as const) {
      const aborted = new AbortController()
      const outcome = run(task, { signal: aborted.signal }).outcome.catch((error: Error) => error.message)
      setTimeout(() => aborted.abort(new Error('gone')), 500)
      expect(await outcome).toBe(settles)
    }
  })

  it('that waits gives up its slot to others', async () => {
    const aborted = new AbortController()
    const waiting = Array.from({ length: 4 }, () => run('wait', { signal: aborted.signal }).outcome)
    expect(await echoes()).toBe('heard hello')
    aborted.abort()
    expect(await Promise.all(waiting)).toEqual(Array(4).fill('stopped'))
  })

  it('is not given to a task that was abandoned before its turn', async () => {
    const aborted = new AbortController()
    const hanging = [1, 2].map(() => run('busy', { signal: aborted.signal }).outcome.catch(() => 'gone'))
    const early = new AbortController()
    const queued = run('echo', { signal: early.signal }).outcome
    early.abort(new Error('left'))
    await expect(queued).rejects.toThrow('left')
    expect(threads.waiting).toBe(0)
    aborted.abort()
    expect(await Promise.all(hanging)).toEqual(['gone', 'gone'])
  })
})
