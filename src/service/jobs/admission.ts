/** Bounds how many jobs run at the same time; the others wait in order. */
import type { Admission } from '../../host.ts'

/** Places in this process. */
export class Slots implements Admission {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(slots: number) {
    this.#free = slots
  }

  get waiting(): number {
    return this.#waiting.length
  }

  get full(): boolean {
    return this.#free === 0
  }

  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#free > 0) this.#free--
    else await this.#turn(signal)
    return () => this.#leave()
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const admitted = () => {
        signal.removeEventListener('abort', abandoned)
        resolve()
      }
      const abandoned = () => {
        this.#waiting.splice(this.#waiting.indexOf(admitted), 1)
        reject(signal.reason)
      }
      signal.addEventListener('abort', abandoned, { once: true })
      this.#waiting.push(admitted)
    })
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
