/**
 * Which lines to remove and add to turn one text into another: as few as possible (Myers, "An O(ND) Difference Algorithm",
 * 1986).
 */
import { yieldToEventLoop } from '../concurrency.ts'

/** Lines of one text that replace lines of the other; counted from 0, ends excluded, one side may be empty. */
export type Change = {
  readonly fromStart: number
  readonly fromEnd: number
  readonly toStart: number
  readonly toEnd: number
}

export type Edits = {
  /** In order, with equal lines between them. */
  readonly changes: readonly Change[]
  /** The search was abandoned: one change covers everything from the first difference to the last. */
  readonly coarse: boolean
}

/** Limit on the number of edits: the search remembers half its square, in numbers of four bytes. */
const MAX_EDITS = 2_000
/** Limit on compared lines: some 100 milliseconds. */
const MAX_STEPS = 20_000_000
/** Lines compared before the event loop gets a turn: a few milliseconds. */
const STEPS_A_TURN = 1_000_000

/** @param from lines, each with its end; the same for `to` */
export async function findEdits(from: readonly string[], to: readonly string[]): Promise<Edits> {
  const whole = changedPart(from, to)
  const { fromStart, fromEnd, toStart, toEnd } = whole
  // Nothing is smaller than only adding or only removing.
  if (fromStart === fromEnd || toStart === toEnd) {
    return { changes: fromStart === fromEnd && toStart === toEnd ? [] : [whole], coarse: false }
  }
  const names = new Map<string, number>()
  const search = new Search(
    await nameLines(names, from.slice(fromStart, fromEnd)),
    await nameLines(names, to.slice(toStart, toEnd)),
  )
  const found = await search.run()
  if (found === undefined) return { changes: [whole], coarse: true }
  const moved = (change: Change): Change => ({
    fromStart: change.fromStart + fromStart,
    fromEnd: change.fromEnd + fromStart,
    toStart: change.toStart + toStart,
    toEnd: change.toEnd + toStart,
  })
  return { changes: found.map(moved), coarse: false }
}

/** One change from the first differing line to the last. */
function changedPart(from: readonly string[], to: readonly string[]): Change {
  const shorter = Math.min(from.length, to.length)
  let head = 0
  while (head < shorter && from[head] === to[head]) head++
  let tail = 0
  while (tail < shorter - head && from[from.length - 1 - tail] === to[to.length - 1 - tail]) tail++
  return { fromStart: head, fromEnd: from.length - tail, toStart: head, toEnd: to.length - tail }
}

/** Numbers for lines, since comparing long lines with equal beginnings is slow. */
async function nameLines(names: Map<string, number>, lines: readonly string[]): Promise<Int32Array> {
  const named = new Int32Array(lines.length)
  for (const [i, line] of lines.entries()) {
    let name = names.get(line)
    if (name === undefined) {
      name = names.size
      names.set(line, name)
    }
    named[i] = name
    if (i % 50_000 === 49_999) await yieldToEventLoop()
  }
  return named
}

/**
 * Searches forward from the beginning of both texts. For each number of edits it knows how far it gets in `from` on each
 * diagonal, which is the number of removed lines less the number of added ones.
 */
class Search {
  readonly #from: Int32Array
  readonly #to: Int32Array
  /** By the number of edits: how far it got, on every other diagonal from the lowest that is still within the texts. */
  readonly #reached: Int32Array[] = []

  constructor(from: Int32Array, to: Int32Array) {
    this.#from = from
    this.#to = to
  }

  /** Undefined if it takes too long. */
  async run(): Promise<readonly Change[] | undefined> {
    const [from, to] = [this.#from, this.#to]
    const most = Math.min(MAX_EDITS, from.length + to.length)
    let steps = 0
    let turn = 0
    for (let edits = 0; edits <= most; edits++) {
      const lowest = this.#lowest(edits)
      const highest = edits - 2 * Math.max(0, edits - from.length)
      const reached = new Int32Array((highest - lowest) / 2 + 1)
      for (let diagonal = lowest; diagonal <= highest; diagonal += 2) {
        const start = this.#enter(edits, diagonal)
        let x = start
        while (x < from.length && x - diagonal < to.length && from[x] === to[x - diagonal]) x++
        if (x >= from.length && x - diagonal >= to.length) return this.#changes(edits)
        reached[(diagonal - lowest) / 2] = x
        steps += 1 + x - start
        turn += 1 + x - start
        if (steps > MAX_STEPS) return undefined
        if (turn < STEPS_A_TURN) continue
        turn = 0
        await yieldToEventLoop()
      }
      this.#reached.push(reached)
    }
    return undefined
  }

  /** Below it the search left the texts. */
  #lowest(edits: number): number {
    return -edits + 2 * Math.max(0, edits - this.#to.length)
  }

  /** How far it got on a diagonal with that number of edits. */
  #at(edits: number, diagonal: number): number {
    return this.#reached[edits]?.[(diagonal - this.#lowest(edits)) / 2] ?? 0
  }

  /** Where the last edit leads onto the diagonal. */
  #enter(edits: number, diagonal: number): number {
    if (edits === 0) return 0
    return this.#adds(edits, diagonal)
      ? this.#at(edits - 1, diagonal + 1)
      : this.#at(edits - 1, diagonal - 1) + 1
  }

  /** Whether that edit adds a line. */
  #adds(edits: number, diagonal: number): boolean {
    if (diagonal === -edits) return true
    if (diagonal === edits) return false
    return this.#at(edits - 1, diagonal - 1) < this.#at(edits - 1, diagonal + 1)
  }

  /** Traces the edits back from the end. */
  #changes(edits: number): readonly Change[] {
    const changes: Change[] = []
    let diagonal = this.#from.length - this.#to.length
    for (let left = edits; left > 0; left--) {
      const adds = this.#adds(left, diagonal)
      const [fromEnd, toEnd] = [this.#enter(left, diagonal), this.#enter(left, diagonal) - diagonal]
      const [fromStart, toStart] = adds ? [fromEnd, toEnd - 1] : [fromEnd - 1, toEnd]
      diagonal = fromStart - toStart
      const next = changes.at(-1)
      if (next?.fromStart === fromEnd && next.toStart === toEnd) {
        changes[changes.length - 1] = { ...next, fromStart, toStart }
      } else changes.push({ fromStart, fromEnd, toStart, toEnd })
    }
    return changes.reverse()
  }
}
