import { describe, expect, it } from 'vitest'
import type { Claim } from '../../job.ts'
import { type Slot, type SlotLimits, Slots } from './slots.ts'

/** Claims slots in order; records the names of those that got one. */
function queue(limits: SlotLimits) {
  const slots = new Slots(limits)
  const got: string[] = []
  const held = new Map<string, Slot>()
  const claim = (name: string, groups: Claim, signal?: AbortSignal) =>
    void slots.take(groups, signal).then(
      (slot) => {
        got.push(name)
        held.set(name, slot)
      },
      () => got.push(`${name} left`),
    )
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return { slots, got, held, claim, settle }
}

describe('slots', () => {
  it('go to the registry with the fewest slots, then to its image with the fewest', async () => {
    const { got, held, claim, settle } = queue({ atOnce: 2 })
    for (const name of ['a1', 'a2', 'a3', 'a4']) claim(name, ['a', 'x'])
    claim('a5', ['a', 'y'])
    claim('b1', ['b', 'z'])
    await settle()
    expect(got).toEqual(['a1', 'a2'])
    held.get('a1')?.release()
    await settle()
    expect(got.at(-1)).toBe('b1')
    held.get('b1')?.release()
    await settle()
    expect(got.at(-1)).toBe('a5')
    held.get('a2')?.release()
    await settle()
    expect(got.at(-1)).toBe('a3')
  })

  it('that are resting can be used by others, up to the limit of held slots', async () => {
    const { slots, got, held, claim, settle } = queue({ atOnce: 1, held: 2 })
    for (const name of ['a', 'b', 'c']) claim(name, ['r'])
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
    expect(slots.waiting).toBe(0)
  })

  it('are not all given to one group', async () => {
    const { got, claim, settle } = queue({ atOnce: 3, share: 2 })
    for (const name of ['a1', 'a2', 'a3']) claim(name, ['a'])
    await settle()
    expect(got).toEqual(['a1', 'a2'])
    claim('b1', ['b'])
    await settle()
    expect(got).toEqual(['a1', 'a2', 'b1'])
  })

  it('are not kept for a claim that was abandoned', async () => {
    const { slots, got, held, claim, settle } = queue({ atOnce: 1 })
    const left = new AbortController()
    claim('a', ['r'])
    claim('b', ['r'], left.signal)
    claim('c', ['r'])
    await settle()
    left.abort()
    await settle()
    expect(slots.waiting).toBe(1)
    held.get('a')?.release()
    await settle()
    expect(got).toEqual(['a', 'b left', 'c'])
  })
})
