/**
 * A place that a job has, as long as it uses it: one that waits for a slow source gives its place to one that waits for a
 * place, and begins again behind it. So whoever sends slowly on purpose holds up nobody else.
 */
import type { Admission } from '../../host.ts'
import type { Progress } from '../../job.ts'

/** What a source sends that is not slow, in bytes a second. */
const SLOW = 128 * 1024
const LOOK_MILLISECONDS = 1_000

export class Place {
  readonly #admission: Admission
  readonly #milliseconds: number
  readonly #left = new AbortController()
  readonly #watch: ReturnType<typeof setInterval>
  readonly #began = Date.now()
  #bytes = 0
  /** All bytes have come: what remains is work. */
  #isWhole = false

  /** @param milliseconds that it is kept at least, however little comes */
  constructor(admission: Admission, milliseconds: number) {
    this.#admission = admission
    this.#milliseconds = milliseconds
    this.#watch = setInterval(() => this.#look(), Math.min(LOOK_MILLISECONDS, milliseconds))
  }

  /** Aborted when the place is given to another job. */
  get signal(): AbortSignal {
    return this.#left.signal
  }

  see({ layers, layersDone, bytes, bytesDone }: Progress): void {
    this.#bytes = bytesDone
    this.#isWhole = layersDone === layers || bytesDone >= bytes
  }

  /** To be called when the job ends or leaves. */
  stop(): void {
    clearInterval(this.#watch)
  }

  #look(): void {
    const milliseconds = Date.now() - this.#began
    if (milliseconds < this.#milliseconds || this.#isWhole || this.#admission.waiting === 0) return
    if ((1_000 * this.#bytes) / milliseconds >= SLOW) return
    this.stop()
    this.#left.abort(new Error('the place is given to another job'))
  }
}
