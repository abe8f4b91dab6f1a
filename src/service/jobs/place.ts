/**
 * A job's place among the running jobs. A job that waits for a slow source gives its place to a waiting job, and starts again
 * behind it. So a deliberately slow sender holds up nobody else.
 */
import type { Admission } from '../../host.ts'
import type { JobProgress } from '../../job.ts'

/** A source that sends at least this many bytes per second is not slow. */
const SLOW = 128 * 1024

export class Place {
  readonly #admission: Admission
  readonly #milliseconds: number
  readonly #left = new AbortController()

  /** @param milliseconds for which the job may wait for its source, however little arrives */
  constructor(admission: Admission, milliseconds: number) {
    this.#admission = admission
    this.#milliseconds = milliseconds
  }

  /** Aborted when the place goes to another job. */
  get signal(): AbortSignal {
    return this.#left.signal
  }

  /** A job that waits for its source reports it every second. */
  see({ layers, layersDone, bytes, bytesDone, waitedMilliseconds = 0 }: JobProgress): void {
    // All bytes have arrived: only computing remains.
    if (layersDone === layers || bytesDone >= bytes) return
    if (waitedMilliseconds < this.#milliseconds || this.#admission.waiting === 0) return
    if ((1_000 * bytesDone) / waitedMilliseconds >= SLOW) return
    this.#left.abort(new Error('the place was given to another job'))
  }
}
