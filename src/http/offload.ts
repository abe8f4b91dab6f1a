/**
 * Thrown if a request needs work whose size depends on an image, a registry or a caller, in a thread that must not do such
 * work. The host then answers the whole request in another thread.
 */
export class WorkElsewhere extends Error {
  constructor() {
    super('this thread does not do this work')
  }
}
