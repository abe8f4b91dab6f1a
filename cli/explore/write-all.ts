/** Writes to a file descriptor whatever else is done with it: all of it, or as much as it takes. */

/** As `writeSync` of `node:fs`. @returns how many bytes it took */
export type Write = (bytes: Uint8Array) => number

/** A terminal that takes nothing for that long is gone. */
const MOST_PAUSES = 100
const PAUSE_MILLISECONDS = 10
const PAUSE = new Int32Array(new SharedArrayBuffer(4))

/** Waits where it is full (EAGAIN). @throws what else `write` throws */
export function writeAll(write: Write, text: string): void {
  let rest = Buffer.from(text)
  for (let pauses = 0; rest.length > 0 && pauses < MOST_PAUSES; ) {
    try {
      rest = rest.subarray(write(rest))
    } catch (error) {
      if (!isFull(error)) throw error
      pauses++
      Atomics.wait(PAUSE, 0, 0, PAUSE_MILLISECONDS)
    }
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}
