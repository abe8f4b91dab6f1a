/** The offenders that a verdict shows. */
import { Largest } from '../table/largest.ts'

/** How many offenders a verdict shows. */
export const SHOWN = 10

/** Keeps the ten largest of any number of offenders; among equals, the first ones. */
export class Worst<Offender> {
  readonly #largest = new Largest<Offender>(SHOWN)
  #count = 0

  /** @param make called only if the offender is kept */
  offer(weight: number, make: () => Offender): void {
    this.#largest.add(weight, this.#count++, make)
  }

  /** Worst first. */
  list(): readonly Offender[] {
    return this.#largest.sorted().map(({ item }) => item)
  }
}
