/**
 * The automaton behind globs. A bit marks each place in each glob that matching may have reached, 32 bits a word. Each
 * character of a path moves all of them at once, so matching a path takes its length times the number of words.
 */

/** First and last code point. */
export type Range = readonly [first: number, last: number]

/** What can happen at one place of a glob. */
export type Step = {
  /** Characters that lead to the next place; none if undefined. */
  readonly takes?: readonly Range[]
  /** Characters after which matching is still at this place: all but `/`, or all. */
  readonly repeats?: 'part' | 'path'
  /** How many places can be skipped without reading a character. */
  readonly skips?: readonly (1 | 2 | 3)[]
}

const SLASH = 0x2f
/** How many characters' masks are cached; masks of others are computed each time. */
const MAX_MASKS = 1_024

/** The places of several sequences of steps in a row; each sequence ends in its own goal. */
export class GlobAutomaton {
  readonly #steps: readonly Step[]
  readonly #words: number
  /** The start places, with everything that can be skipped. */
  readonly #start: Int32Array
  /** Places that stay on any character but `/`, and on `/`. */
  readonly #stayInPart: Int32Array
  readonly #stayOnSlash: Int32Array
  readonly #skipOne: Int32Array
  readonly #skipTwo: Int32Array
  readonly #skipThree: Int32Array
  readonly #goals: readonly { readonly place: number; readonly sequence: number }[]
  /** Code points at which treatment changes; ascending. */
  readonly #bounds: Uint32Array
  /** Which places each kind of character advances; ASCII characters by their number. */
  readonly #masks = new Map<number, Int32Array>()
  readonly #active: Int32Array

  constructor(sequences: readonly (readonly Step[])[]) {
    const steps: Step[] = []
    const starts: number[] = []
    const goals: { place: number; sequence: number }[] = []
    for (const [sequence, list] of sequences.entries()) {
      starts.push(steps.length)
      steps.push(...list)
      goals.push({ place: steps.length, sequence })
      steps.push({})
    }
    this.#steps = steps
    this.#goals = goals
    this.#words = Math.ceil(steps.length / 32)
    this.#stayInPart = this.#bits((step) => step.repeats !== undefined)
    this.#stayOnSlash = this.#bits((step) => step.repeats === 'path')
    this.#skipOne = this.#bits((step) => step.skips?.includes(1) ?? false)
    this.#skipTwo = this.#bits((step) => step.skips?.includes(2) ?? false)
    this.#skipThree = this.#bits((step) => step.skips?.includes(3) ?? false)
    const bounds = steps.flatMap(({ takes = [] }) => takes.flatMap(([first, last]) => [first, last + 1]))
    this.#bounds = Uint32Array.from(new Set(bounds)).sort()
    this.#active = new Int32Array(this.#words)
    this.#start = new Int32Array(this.#words)
    for (const start of starts) setBit(this.#start, start)
    this.#skip(this.#start)
  }

  /** Indexes of the sequences that match the whole text, ascending. */
  match(text: string): number[] {
    if (!this.#run(text)) return []
    const active = this.#active
    return this.#goals.filter(({ place }) => hasBit(active, place)).map(({ sequence }) => sequence)
  }

  /** False if no place is left before the text ends. */
  #run(text: string): boolean {
    const active = this.#active
    active.set(this.#start)
    for (let i = 0; i < text.length; i++) {
      let code = text.charCodeAt(i)
      if (code >= 0xd800 && code < 0xdc00) {
        code = text.codePointAt(i) ?? code
        if (code > 0xffff) i++
      }
      if (!this.#step(this.#maskOf(code), code === SLASH ? this.#stayOnSlash : this.#stayInPart)) return false
    }
    return true
  }

  #step(mask: Int32Array, stay: Int32Array): boolean {
    const active = this.#active
    let moved = 0
    let skipped = 0
    let any = 0
    for (let word = 0; word < active.length; word++) {
      const before = active[word] ?? 0
      if ((before | moved | skipped) === 0) continue
      const moving = before & (mask[word] ?? 0)
      const now = this.#close(word, (moving << 1) | moved | (before & (stay[word] ?? 0)) | skipped)
      moved = moving >>> 31
      skipped = this.#carry(word, now)
      active[word] = now
      any |= now
    }
    return any !== 0
  }

  /** Adds the places of one word that can be skipped to. */
  #close(word: number, places: number): number {
    const one = this.#skipOne[word] ?? 0
    const two = this.#skipTwo[word] ?? 0
    const three = this.#skipThree[word] ?? 0
    let all = places
    for (;;) {
      const more = all | ((all & one) << 1) | ((all & two) << 2) | ((all & three) << 3)
      if (more === all) return all
      all = more
    }
  }

  /** The places in the next word that this word skips to. */
  #carry(word: number, places: number): number {
    const one = places & (this.#skipOne[word] ?? 0)
    const two = places & (this.#skipTwo[word] ?? 0)
    const three = places & (this.#skipThree[word] ?? 0)
    return (one >>> 31) | (two >>> 30) | (three >>> 29)
  }

  #skip(places: Int32Array): void {
    let skipped = 0
    for (let word = 0; word < places.length; word++) {
      const now = this.#close(word, (places[word] ?? 0) | skipped)
      skipped = this.#carry(word, now)
      places[word] = now
    }
  }

  #maskOf(code: number): Int32Array {
    const kind = code < 128 ? code : 128 + this.#kindOf(code)
    const known = this.#masks.get(kind)
    if (known !== undefined) return known
    if (this.#masks.size === MAX_MASKS) this.#masks.clear()
    const mask = this.#makeMask(code)
    this.#masks.set(kind, mask)
    return mask
  }

  #makeMask(code: number): Int32Array {
    return this.#bits(({ takes }) => takes?.some(([first, last]) => first <= code && code <= last) ?? false)
  }

  /** The number of bounds up to it: equal for characters that all steps treat alike. */
  #kindOf(code: number): number {
    let low = 0
    let high = this.#bounds.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#bounds[middle] ?? 0) <= code) low = middle + 1
      else high = middle
    }
    return low
  }

  #bits(has: (step: Step) => boolean): Int32Array {
    const bits = new Int32Array(this.#words)
    for (const [place, step] of this.#steps.entries()) if (has(step)) setBit(bits, place)
    return bits
  }
}

function setBit(bits: Int32Array, place: number): void {
  bits[place >> 5] = (bits[place >> 5] ?? 0) | (1 << (place & 31))
}

function hasBit(bits: Int32Array, place: number): boolean {
  return ((bits[place >> 5] ?? 0) & (1 << (place & 31))) !== 0
}
