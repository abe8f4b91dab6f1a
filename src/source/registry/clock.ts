/** Time and chance, which tests make their own. */
import { pause } from '../../timeout.ts'

export type Clock = {
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after `milliseconds`; rejects with the signal's reason as soon as it is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
  /** From 0 to 1, without 1. */
  random(): number
}

export const systemClock: Clock = { now: () => Date.now(), sleep: pause, random: () => Math.random() }
