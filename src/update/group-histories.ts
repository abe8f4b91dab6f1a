/** When the groups of a series of images changed: only the last image's groups are held. */
import { type Groups, TooManyGroups } from './groups.ts'

/** In which steps something changes, and its bytes after each step. Steps are counted from 0. */
export type History = { readonly steps: readonly number[]; readonly after: readonly number[] }

type Changes = { readonly steps: number[]; readonly after: number[] }

export class GroupHistories {
  readonly #limit: number
  readonly #histories = new Map<string, Changes>()
  #last: Groups = new Map()
  #images = 0

  /** @param limit how many groups all images together may have */
  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * Adds the next image.
   *
   * @throws TooManyGroups
   */
  add(groups: Groups): void {
    for (const id of groups.keys()) this.#open(id)
    if (this.#images > 0) this.#step(this.#images - 1, groups)
    this.#last = groups
    this.#images++
  }

  /** The groups of the last image. */
  get last(): Groups {
    return this.#last
  }

  /** Of all groups that any image has. */
  get histories(): ReadonlyMap<string, History> {
    return this.#histories
  }

  #open(id: string): void {
    if (this.#histories.has(id)) return
    if (this.#histories.size === this.#limit) throw new TooManyGroups()
    const after = Array.from({ length: Math.max(this.#images - 1, 0) }, () => 0)
    this.#histories.set(id, { steps: [], after })
  }

  #step(step: number, groups: Groups): void {
    for (const [id, { steps, after }] of this.#histories) {
      const now = groups.get(id)
      if (this.#last.get(id)?.digest !== now?.digest) steps.push(step)
      after.push(now?.bytes ?? 0)
    }
  }
}
