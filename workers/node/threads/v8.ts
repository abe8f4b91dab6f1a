/**
 * V8 in a process that has just started. In its first seconds optimised code costs more than it gains, and a small heap is
 * collected again and again, since every piece of a layer that passes through counts.
 */
import { setFlagsFromString } from 'node:v8'

/** The V8 of this Node version and later ones has a middle-tier compiler to fall back on. */
const OLDEST_NODE = 24
/** By then, a process that is still running is worth the best code. */
const FRESH_MILLISECONDS = 10_000
/**
 * How much a thread's heap holds before its first full collection; its limit stays the same. Threads that start later begin small,
 * because the heaps of all threads add up.
 */
const FIRST_HEAP_MEGABYTES = 64
const LATER_HEAP_MEGABYTES = 16

/** Makes V8 spend less on itself at first. Call it before threads are started. */
export function startFast(): void {
  // As a flag of the process it is for the main thread; in the others it would override their own limit, which is smaller.
  setFlagsFromString('--max-semi-space-size=0')
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) return
  setFlagsFromString(`--initial-old-space-size=${FIRST_HEAP_MEGABYTES}`)
  setFlagsFromString('--no-turbofan')
  const settle = () => {
    setFlagsFromString(`--initial-old-space-size=${LATER_HEAP_MEGABYTES}`)
    setFlagsFromString('--turbofan')
  }
  setTimeout(settle, FRESH_MILLISECONDS).unref()
}

/**
 * Makes V8 collect what lives short more often, in place of giving it more room: for who reads much and keeps little of it. It
 * applies to all threads of the process.
 */
export function stayCompact(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
