/**
 * A job's place among the running jobs. A job that waits for a slow source gives its place to a waiting job, and starts again
 * behind it. So a deliberately slow sender holds up nobody else.
 */
import type { Admission } from '../../host.ts'
import type { Progress } from '../../job.ts'

/** A source that sends at least this many bytes per second is not slow. */
const SLOW = 128 * 1024
const LOOK_MILLISECONDS = 1_000

export class Place {
  readonly #admission: Admission
  readonly #milliseconds: number
  readonly #left = new AbortController()
  readonly #watch: ReturnType<typeof setInterval>
  readonly #began = Date.now()
  #bytes = 0
  /** All bytes have arrived: only computing remains. */
  #isWhole = false

  /** @param milliseconds for which it is kept at least, however little arrives */
  constructor(admission: Admission, milliseconds: number) {
    this.#admission = admission
    this.#milliseconds = milliseconds
    this.#watch = setInterval(() => this.#look(), Math.min(LOOK_MILLISECONDS, milliseconds))
  }

  /** Aborted when the place goes to another job. */
  get signal(): AbortSignal {
    return this.#left.signal
  }

  see({ layers, layersDone, bytes, bytesDone }: Progress): void {
    this.#bytes = bytesDone
    this.#isWhole = layersDone === layers || bytesDone >= bytes
  }

  /** Call this when the job ends or is cancelled. */
  stop(): void {
    clearInterval(this.#watch)
  }

  #look(): void {
    const milliseconds = Date.now() - this.#began
    if (milliseconds < this.#milliseconds || this.#isWhole || this.#admission.waiting === 0) return
    if ((1_000 * this.#bytes) / milliseconds >= SLOW) return
    this.stop()
    this.#left.abort(new Error('the place was given to another job'))
  }
}
