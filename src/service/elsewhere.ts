/**
 * Thrown where a request needs work of which an image, a registry or a caller decides the size, in a thread that must
 * not do it: the host has the whole request answered in another thread.
 */
export class WorkElsewhere extends Error {
  constructor() {
    super('this thread does not do this work')
  }
}
