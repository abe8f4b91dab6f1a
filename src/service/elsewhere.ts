/**
 * Thrown if a request needs work whose size an image, a registry or a caller decides, in a thread that must not do it.
 * The host then answers the whole request in another thread.
 */
export class WorkElsewhere extends Error {
  constructor() {
    super('this thread does not do this work')
  }
}
