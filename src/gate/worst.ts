import type { Evidence } from './verdict.ts'

/** As many offenders as a verdict shows. */
const SHOWN = 10

/** Keeps the ten largest of any number of offenders; of equals those that came first. */
export class Worst {
  readonly #kept: { readonly weight: number; readonly evidence: Evidence }[] = []

  /** Evidence is made only where it is kept. */
  offer(weight: number, evidence: () => Evidence): void {
    const last = this.#kept[SHOWN - 1]
    if (last !== undefined && weight <= last.weight) return
    let at = this.#kept.length
    while (at > 0 && weight > (this.#kept[at - 1]?.weight ?? weight)) at--
    this.#kept.splice(at, 0, { weight, evidence: evidence() })
    if (this.#kept.length > SHOWN) this.#kept.pop()
  }

  /** Worst first. */
  list(): readonly Evidence[] {
    return this.#kept.map(({ evidence }) => evidence)
  }
}
