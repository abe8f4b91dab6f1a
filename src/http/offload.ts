/** Requests that the thread which answers HTTP gives to another one. */
import type { Backend } from './backend.ts'

/**
 * Thrown if a request needs work whose size depends on an image, a registry or a caller, in a thread that must not do such
 * work. The frame of all routes then lets the host answer the whole request in another thread.
 */
export class Offload extends Error {
  constructor() {
    super('this thread does not do this work')
  }
}

/** For work that reads no table, whose rows tell by themselves. @throws Offload if this thread must not do it */
export function requireOtherThread({ offload }: Backend): void {
  if (offload !== undefined) throw new Offload()
}
