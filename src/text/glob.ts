// Globs as the API takes them everywhere: anchored and case-sensitive, over a whole relative path. Choices are written out,
// then all globs of a list become one automaton that reads a path once.
//
//   ?  *              one character, any number of characters, within a part
//   **                any number of characters across parts; as a whole part also none: `a/**` matches `a`, `**/a` too
//   [abc] [a-z] [!x]  one character of a set, or (also as [^x]) outside of it; never `/`
//   {a,b}             either one, with anything inside, braces too
//   \x                x itself

import { Problem } from '../problem.ts'
import { GlobAutomaton, type Range, type Step } from './glob-automaton.ts'

const MAX_GLOBS = 100
const MAX_GLOB_LENGTH = 256
/** Limit on the automaton's places in all globs of one list; the work for each character grows with them. */
const MAX_PLACES = 8_192

/** The parts of a glob. Ranges of a class are pairs of code points, with its negation resolved. */
type PlainPiece =
  | { readonly kind: 'character'; readonly value: string }
  | { readonly kind: 'slash' | 'any' | 'star' | 'globstar' }
  | { readonly kind: 'class'; readonly ranges: readonly Range[] }

type Piece = PlainPiece | { readonly kind: 'choice'; readonly choices: readonly (readonly Piece[])[] }

class Parser {
  readonly #glob: string
  readonly #characters: readonly string[]
  #at = 0

  constructor(glob: string) {
    this.#glob = glob
    this.#characters = [...glob]
  }

  parse(): Piece[] {
    const pieces = this.#sequence('')
    if (this.#at < this.#characters.length) throw this.#malformed('stops in the middle')
    return pieces
  }

  /** Up to the end of the glob or, unconsumed, one of the characters in `closers`. */
  #sequence(closers: string): Piece[] {
    const pieces: Piece[] = []
    for (;;) {
      const character = this.#characters[this.#at]
      if (character === undefined || closers.includes(character)) return pieces
      this.#at++
      pieces.push(this.#piece(character))
    }
  }

  #piece(character: string): Piece {
    switch (character) {
      case '/':
        return { kind: 'slash' }
      case '?':
        return { kind: 'any' }
      case '*':
        return this.#stars()
      case '[':
        return this.#class()
      case '{':
        return this.#choice()
      case '\\':
        return { kind: 'character', value: this.#next('ends in a `\\` that escapes nothing') }
      default:
        return { kind: 'character', value: character }
    }
  }

  #stars(): Piece {
    if (this.#characters[this.#at] !== '*') return { kind: 'star' }
    while (this.#characters[this.#at] === '*') this.#at++
    return { kind: 'globstar' }
  }

  #choice(): Piece {
    const choices = [this.#sequence(',}')]
    while (this.#next('has a `{` without its `}`') === ',') choices.push(this.#sequence(',}'))
    return { kind: 'choice', choices }
  }

  #class(): Piece {
    const unclosed = 'has a `[` without its `]`'
    const negated = this.#characters[this.#at] === '!' || this.#characters[this.#at] === '^'
    if (negated) this.#at++
    const ranges: Range[] = []
    // A leading `]` belongs to the class, as in every shell.
    for (let first = true; ; first = false) {
      const character = this.#next(unclosed)
      if (character === ']' && !first) break
      if (character === '[' && this.#characters[this.#at] === ':')
        throw this.#malformed('names a class like `[:alpha:]`')
      const low = this.#codePoint(character, unclosed)
      let high = low
      if (this.#characters[this.#at] === '-' && this.#characters[this.#at + 1] !== ']') {
        this.#at++
        high = this.#codePoint(this.#next(unclosed), unclosed)
      }
      if (high < low) throw this.#malformed('has a range that ends before it begins')
      ranges.push([low, high])
    }
    return { kind: 'class', ranges: negated ? complement(ranges) : withoutSlash(ranges) }
  }

  #codePoint(character: string, unclosed: string): number {
    const value = character === '\\' ? this.#next(unclosed) : character
    return value.codePointAt(0) ?? 0
  }

  #next(missing: string): string {
    const character = this.#characters[this.#at++]
    if (character === undefined) throw this.#malformed(missing)
    return character
  }

  #malformed(what: string): Problem {
    return new Problem('invalid_parameter', `the glob ${JSON.stringify(this.#glob)} ${what}`)
  }
}

const SLASH = 0x2f
const LAST_CODE_POINT = 0x10ffff

/** Everything but `/` and what the ranges hold. */
function complement(ranges: readonly Range[]): Range[] {
  const outside: Range[] = []
  let next = 0
  for (const [first, last] of [...ranges, [SLASH, SLASH] as const].sort((a, b) => a[0] - b[0])) {
    if (first > next) outside.push([next, first - 1])
    next = Math.max(next, last + 1)
  }
  if (next <= LAST_CODE_POINT) outside.push([next, LAST_CODE_POINT])
  return outside
}

function withoutSlash(ranges: readonly Range[]): Range[] {
  return ranges.flatMap(([first, last]): Range[] => {
    if (last < SLASH || first > SLASH) return [[first, last]]
    const around: Range[] = [
      [first, SLASH - 1],
      [SLASH + 1, last],
    ]
    return around.filter(([low, high]) => low <= high)
  })
}

/** Expands choices: the sequences that a glob stands for. */
function expand(pieces: readonly Piece[], budget: Budget): PlainPiece[][] {
  let sequences: PlainPiece[][] = [[]]
  for (const piece of pieces) {
    if (piece.kind !== 'choice') {
      for (const sequence of sequences) sequence.push(piece)
      continue
    }
    const choices = piece.choices.flatMap((choice) => expand(choice, budget))
    budget.check(sequences, choices)
    sequences = sequences.flatMap((sequence) => choices.map((choice) => [...sequence, ...choice]))
  }
  return sequences
}

/** How many of the allowed places the globs of one list have used. */
class Budget {
  #places = 0

  take(places: number): void {
    this.#places += places
    if (this.#places > MAX_PLACES) throw tooComplex()
  }

  /** Called before all `sequences` and `choices` are combined. */
  check(sequences: readonly PlainPiece[][], choices: readonly PlainPiece[][]): void {
    const placesOf = (lists: readonly PlainPiece[][]) =>
      lists.reduce((sum, { length }) => sum + length + 1, 0)
    const combined = placesOf(sequences) * choices.length + placesOf(choices) * sequences.length
    if (this.#places + combined > 2 * MAX_PLACES) throw tooComplex()
  }
}

function tooComplex(): Problem {
  return new Problem(
    'invalid_parameter',
    `the globs have more than ${MAX_PLACES} characters together, with each combination of their \`{…}\` written out; use fewer, shorter or simpler ones`,
  )
}

const ONE: Step = { takes: complement([]) }
const SEPARATOR: Step = { takes: [[SLASH, SLASH]] }

/** A `**` that is a whole part includes one of its slashes, so that it can also match no part. */
function toSteps(pieces: readonly PlainPiece[]): Step[] {
  const steps: Step[] = []
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]
    if (piece === undefined) break
    const next = pieces[i + 1]
    if (piece.kind === 'slash' && next?.kind === 'globstar' && isEdge(pieces[i + 2])) {
      steps.push({ ...SEPARATOR, skips: [2] }, { repeats: 'path', skips: [1] })
      i++
    } else if (piece.kind === 'globstar' && next?.kind === 'slash' && isEdge(pieces[i - 1])) {
      steps.push({ skips: [1, 3] }, { repeats: 'path', skips: [1] }, SEPARATOR)
      i++
    } else steps.push(toStep(piece))
  }
  return steps
}

function isEdge(neighbour: PlainPiece | undefined): boolean {
  return neighbour === undefined || neighbour.kind === 'slash'
}

function toStep(piece: PlainPiece): Step {
  switch (piece.kind) {
    case 'character': {
      const code = piece.value.codePointAt(0) ?? 0
      return { takes: [[code, code]] }
    }
    case 'slash':
      return SEPARATOR
    case 'any':
      return ONE
    case 'star':
      return { repeats: 'part', skips: [1] }
    case 'globstar':
      return { repeats: 'path', skips: [1] }
    case 'class':
      return { takes: piece.ranges }
  }
}

function parse(glob: string): Piece[] {
  if (glob === '') throw new Problem('invalid_parameter', 'a glob is empty')
  if (glob.length > MAX_GLOB_LENGTH) {
    throw new Problem(
      'invalid_parameter',
      `a glob has ${glob.length} characters; the limit is ${MAX_GLOB_LENGTH}`,
    )
  }
  // Paths are relative and clean, so such a glob matches nothing; a gate must not pass by a rule that matches nothing.
  if (/^\.{0,2}\/|\/\.{0,2}(\/|$)/.test(glob)) {
    throw new Problem(
      'invalid_parameter',
      `the glob ${JSON.stringify(glob)} cannot match any path: paths have no leading or trailing slash and no part that is empty, \`.\` or \`..\``,
    )
  }
  return new Parser(glob).parse()
}

/**
 * Compiles globs into one automaton that tells which of them match a path, as ascending indexes.
 *
 * @param globs at most 100 of at most 256 characters, and 8,192 in all with their choices written out
 * @returns a test for relative paths as text (`usr/bin/env`)
 * @throws Problem `invalid_parameter` that quotes a glob which is malformed or cannot match any path
 */
export function compileGlobSet(globs: readonly string[]): (path: string) => readonly number[] {
  if (globs.length > MAX_GLOBS) {
    throw new Problem('invalid_parameter', `${globs.length} globs given; the limit is ${MAX_GLOBS}`)
  }
  const budget = new Budget()
  const sequences: Step[][] = []
  const globOf: number[] = []
  for (const [position, glob] of globs.entries()) {
    for (const pieces of expand(parse(glob), budget)) {
      const steps = toSteps(pieces)
      budget.take(steps.length + 1)
      sequences.push(steps)
      globOf.push(position)
    }
  }
  if (sequences.length === 0) return () => []
  const automaton = new GlobAutomaton(sequences)
  return (path) => {
    const matching = automaton.match(path)
    return matching.length === 0 ? matching : [...new Set(matching.map((sequence) => globOf[sequence] ?? 0))]
  }
}

/**
 * Compiles globs into a test whether any of them matches a path; without globs none does.
 *
 * @param globs as of {@link compileGlobSet}
 * @returns a test for relative paths as text (`usr/bin/env`)
 * @throws Problem as {@link compileGlobSet}
 */
export function compileGlobs(globs: readonly string[]): (path: string) => boolean {
  const matches = compileGlobSet(globs)
  return (path) => matches(path).length > 0
}
