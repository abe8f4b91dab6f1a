import { randomBytes } from 'node:crypto'
import { constants, deflateRawSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { WINDOW_BYTES } from './bit-offset.ts'
import { NeededWindow } from './needed-window.ts'

const needed = new NeededWindow()

afterAll(() => needed.close())

/** What the window comes to where this follows it, in blocks that begin at a byte. */
function neededBefore(window: Uint8Array, content: Uint8Array): Uint8Array {
  const options = { dictionary: window, finishFlush: constants.Z_SYNC_FLUSH }
  const [byte = 0, ...behind] = deflateRawSync(content, options)
  return needed.of({ window, byte, bit: 0 }, Uint8Array.from(behind))
}

const window = Uint8Array.from(randomBytes(WINDOW_BYTES), (byte) => byte || 1)

test('of a window stays what is copied from it, wherever that stands', () => {
  for (const [start, end] of [
    [0, 100],
    [300, 20_000],
    [WINDOW_BYTES - 258, WINDOW_BYTES],
  ] as const) {
    // At least as much behind the window as a copy can reach back; random bytes are in no window.
    const content = Buffer.concat([window.subarray(start, end), randomBytes(WINDOW_BYTES)])
    // zlib does not look at the first bytes of a dictionary, for which it would have to reach back too far.
    const from = Math.max(start, 262)
    const kept = neededBefore(window, content)
    expect(kept.subarray(from, end), `${start} to ${end}`).toEqual(window.subarray(from, end))
    expect(kept.filter((byte) => byte !== 0).length).toBeLessThan(end - start + 100)
  }
})

test('what is copied from a copy is from the window too', () => {
  const part = window.subarray(5_000, 5_200)
  const content = Buffer.concat([part, randomBytes(10_000), part, part, randomBytes(WINDOW_BYTES)])
  const kept = neededBefore(window, content)
  expect(kept.subarray(5_000, 5_200)).toEqual(part)
  expect(kept.filter((byte) => byte !== 0).length).toBeLessThan(300)
})

test('the whole window stays where too little follows to tell, and where it is damaged', () => {
  const content = Buffer.concat([window.subarray(0, 1_000), randomBytes(20_000)])
  expect(neededBefore(window, content)).toBe(window)
  expect(needed.of({ window, byte: 0xff, bit: 0 }, randomBytes(100_000))).toBe(window)
  expect(neededBefore(window, randomBytes(2 * WINDOW_BYTES))).not.toBe(window)
})
