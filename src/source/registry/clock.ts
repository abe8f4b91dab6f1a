/** Time and chance, which tests replace. */
import { pause } from '../../timeout.ts'

export type Clock = {
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after `milliseconds`; rejects with the signal's reason as soon as it is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
  /** At least 0, less than 1. */
  random(): number
}

export const systemClock: Clock = { now: () => Date.now(), sleep: pause, random: () => Math.random() }
