/** As many offenders as a verdict shows. */
export const SHOWN = 10

/** Keeps the ten largest of any number of offenders; of equals those that came first. */
export class Worst<Offender> {
  readonly #kept: { readonly weight: number; readonly offender: Offender }[] = []

  /** @param make called only where the offender is kept */
  offer(weight: number, make: () => Offender): void {
    const last = this.#kept[SHOWN - 1]
    if (last !== undefined && weight <= last.weight) return
    let at = this.#kept.length
    while (at > 0 && weight > (this.#kept[at - 1]?.weight ?? weight)) at--
    this.#kept.splice(at, 0, { weight, offender: make() })
    if (this.#kept.length > SHOWN) this.#kept.pop()
  }

  /** Worst first. */
  list(): readonly Offender[] {
    return this.#kept.map(({ offender }) => offender)
  }
}
