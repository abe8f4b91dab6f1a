import { randomBytes } from 'node:crypto'
import { constants, deflateRawSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { BlockInflater } from './block-inflater.ts'
import { WINDOW_BYTES } from './block-start.ts'
import { NeededWindow } from './needed-window.ts'

const inflater = new BlockInflater()
const needed = new NeededWindow(inflater)

afterAll(() => inflater.close())

/** What is kept of the window if this follows it, in blocks that begin at a byte boundary. */
function neededBefore(window: Uint8Array, content: Uint8Array): Uint8Array | undefined {
  const options = { dictionary: window, finishFlush: constants.Z_SYNC_FLUSH }
  const [byte = 0, ...behind] = deflateRawSync(content, options)
  return needed.of({ window, byte, bit: 0 }, Uint8Array.from(behind))
}

const window = Uint8Array.from(randomBytes(WINDOW_BYTES), (byte) => byte || 1)

test('keeps the parts of a window that are copied from, wherever they are', () => {
  for (const [start, end] of [
    [0, 100],
    [300, 20_000],
    [WINDOW_BYTES - 258, WINDOW_BYTES],
  ] as const) {
    // Followed by as much as a copy can reach back; random bytes do not match the window.
    const content = Buffer.concat([window.subarray(start, end), randomBytes(WINDOW_BYTES)])
    // zlib does not use the first bytes of a dictionary: they would be too far back.
    const from = Math.max(start, 262)
    const kept = neededBefore(window, content)
    expect(kept?.subarray(from, end), `${start} to ${end}`).toEqual(window.subarray(from, end))
    expect(kept?.filter((byte) => byte !== 0).length).toBeLessThan(end - start + 100)
  }
})

test('a copy of a copy counts as copied from the window', () => {
  const part = window.subarray(5_000, 5_200)
  const content = Buffer.concat([part, randomBytes(10_000), part, part, randomBytes(WINDOW_BYTES)])
  const kept = neededBefore(window, content)
  expect(kept?.subarray(5_000, 5_200)).toEqual(part)
  expect(kept?.filter((byte) => byte !== 0).length).toBeLessThan(300)
})

test('does not know what is needed if too little data follows, or if that data is damaged', () => {
  const content = Buffer.concat([window.subarray(0, 1_000), randomBytes(20_000)])
  expect(neededBefore(window, content)).toBeUndefined()
  expect(needed.of({ window, byte: 0xff, bit: 0 }, randomBytes(100_000))).toBeUndefined()
  expect(neededBefore(window, randomBytes(2 * WINDOW_BYTES))).toHaveLength(WINDOW_BYTES)
})
