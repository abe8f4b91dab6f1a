import { describe, expect, it } from 'vitest'
import { type Acquisition, type Key, type Permit, Semaphore, type SemaphoreLimits } from './semaphore.ts'

/** Acquires permits; records the names of those that got one, in order. */
function queue(limits: SemaphoreLimits) {
  const semaphore = new Semaphore(limits)
  const got: string[] = []
  const held = new Map<string, Permit>()
  const acquire = async (name: string, key: Key, acquisition?: Acquisition, signal?: AbortSignal) => {
    try {
      held.set(name, await semaphore.acquire(key, signal, acquisition))
      got.push(name)
    } catch {
      got.push(`${name} left`)
    }
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  const release = async (name: string) => {
    held.get(name)?.release()
    await settle()
  }
  return { semaphore, got, held, acquire, release, settle }
}

describe('permits', () => {
  it('go to the registry with the fewest, then to its image with the fewest', async () => {
    const { got, acquire, release, settle } = queue({ total: 2 })
    for (const name of ['a1', 'a2', 'a3', 'a4']) void acquire(name, ['a', 'x'])
    void acquire('a5', ['a', 'y'])
    void acquire('b1', ['b', 'z'])
    await settle()
    expect(got).toEqual(['a1', 'a2'])
    await release('a1')
    expect(got.at(-1)).toBe('b1')
    await release('b1')
    expect(got.at(-1)).toBe('a5')
    await release('a2')
    expect(got.at(-1)).toBe('a3')
  })

  it('go to an empty key first', async () => {
    const { got, acquire, release, settle } = queue({ total: 1 })
    void acquire('a', ['a'])
    void acquire('b', ['b'])
    void acquire('none', [])
    await settle()
    await release('a')
    expect(got).toEqual(['a', 'none'])
  })

  it('that rest can be used by others, up to the limit of those that are held', async () => {
    const { semaphore, got, held, acquire, settle } = queue({ total: 1, held: 2 })
    for (const name of ['a', 'b', 'c']) void acquire(name, ['r'])
    await settle()
    expect(got).toEqual(['a'])
    held.get('a')?.rest(true)
    await settle()
    expect(got).toEqual(['a', 'b'])
    held.get('b')?.rest(true)
    await settle()
    expect(got).toEqual(['a', 'b'])
    held.get('a')?.release()
    held.get('a')?.rest(false)
    await settle()
    expect(got).toEqual(['a', 'b', 'c'])
    expect(semaphore.waiting).toBe(0)
  })

  it('are not all given to one key', async () => {
    const { got, acquire, settle } = queue({ total: 3, perKey: 2 })
    for (const name of ['a1', 'a2', 'a3']) void acquire(name, ['a'])
    await settle()
    expect(got).toEqual(['a1', 'a2'])
    void acquire('b1', ['b'])
    await settle()
    expect(got).toEqual(['a1', 'a2', 'b1'])
  })

  it('are not all given to one pool, whose next waits for one of its own', async () => {
    const { got, held, acquire, release, settle } = queue({ total: 3, pools: { slow: 1 } })
    for (const name of ['a', 'b', 'c']) void acquire(name, [name], { pool: 'slow' })
    await settle()
    expect(got).toEqual(['a'])
    expect(held.get('a')?.isWanted).toBe(true)
    for (const name of ['x', 'y']) void acquire(name, [name])
    await settle()
    expect(got).toEqual(['a', 'x', 'y'])
    // Only the pool's wait: another's permit is of no use to them.
    expect(held.get('x')?.isWanted).toBe(false)
    await release('a')
    expect(got.at(-1)).toBe('b')
  })

  it('that are abandoned before their turn are not kept', async () => {
    const { semaphore, got, acquire, release, settle } = queue({ total: 1 })
    const left = new AbortController()
    void acquire('a', ['r'])
    void acquire('b', ['r'], {}, left.signal)
    void acquire('c', ['r'])
    await settle()
    left.abort()
    await settle()
    expect(semaphore.waiting).toBe(1)
    await release('a')
    expect(got).toEqual(['a', 'b left', 'c'])
  })

  it('of a signal that is aborted already are not given', async () => {
    const { semaphore } = queue({ total: 1 })
    await expect(semaphore.acquire(['a'], AbortSignal.abort(new Error('left')))).rejects.toThrow('left')
    expect(semaphore.full).toBe(false)
  })

  it('are released once', async () => {
    const { semaphore } = queue({ total: 2 })
    const permit = await semaphore.acquire(['a'])
    await semaphore.acquire(['a'])
    permit.release()
    permit.release()
    expect(semaphore.tryAcquire(['a'])).toBeDefined()
    expect(semaphore.tryAcquire(['a'])).toBe(undefined)
  })
})

describe('heavy permits', () => {
  it('are not passed by lighter ones that would fit', async () => {
    const { got, acquire, release, settle } = queue({ total: 10 })
    void acquire('a', [], { weight: 6 })
    void acquire('large', [], { weight: 8 })
    void acquire('small', [], { weight: 2 })
    await settle()
    expect(got).toEqual(['a'])
    await release('a')
    expect(got).toEqual(['a', 'large', 'small'])
  })

  it('do not delay others once they are abandoned', async () => {
    const { got, acquire, settle } = queue({ total: 10 })
    const leaving = new AbortController()
    void acquire('a', [], { weight: 6 })
    void acquire('large', [], { weight: 8 }, leaving.signal)
    void acquire('small', [], { weight: 2 })
    await settle()
    leaving.abort()
    await settle()
    expect(new Set(got)).toEqual(new Set(['a', 'large left', 'small']))
  })

  it('of more than there is are given alone', async () => {
    const { got, acquire, release, settle } = queue({ total: 10, perKey: 5 })
    void acquire('huge', ['a'], { weight: 50 })
    void acquire('b', ['b'])
    await settle()
    expect(got).toEqual(['huge'])
    await release('huge')
    expect(got).toEqual(['huge', 'b'])
  })
})
