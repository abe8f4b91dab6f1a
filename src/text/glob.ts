// Globs as the API takes them everywhere: anchored and case-sensitive, over a whole relative path. A glob is translated
// to RE2's syntax, whose automata read a path once, so that no pattern can make matching slower than linear.
//
//   ?  *              one character, any number of characters, within a part
//   **                any number of characters across parts; as a whole part also none: `a/**` matches `a`, `**/a` too
//   [abc] [a-z] [!x]  one character of a set, or (also as [^x]) outside of it; never `/`
//   {a,b}             either one, with anything inside, braces too
//   \x                x itself

import { RE2JS, RE2Set } from 're2js'
import { Problem } from '../problem.ts'

const MAX_GLOBS = 100
const MAX_GLOB_LENGTH = 256
/** Of a set's automaton: past it states are forgotten, and made again when they are needed. */
const AUTOMATON_BYTES = 4 * 1024 * 1024

/** What one glob is made of. Ranges of a class are pairs of code points, its negation already worked in. */
type Piece =
  | { readonly kind: 'character'; readonly value: string }
  | { readonly kind: 'slash' | 'any' | 'star' | 'globstar' }
  | { readonly kind: 'class'; readonly ranges: readonly Range[] }
  | { readonly kind: 'choice'; readonly choices: readonly (readonly Piece[])[] }

type Range = readonly [first: number, last: number]

/** What stands beside a piece: only beside an edge of a part does `**` mean whole parts. */
type Neighbour = 'edge' | 'slash' | 'other'

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
    // A `]` that comes first is a member of the class, as in every shell.
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

const NOTHING = '[^\\x{0}-\\x{10ffff}]'

function translateSequence(pieces: readonly Piece[], before: Neighbour, after: Neighbour): string {
  let pattern = ''
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]
    if (piece === undefined) break
    const left = lastNeighbour(pieces, i - 1, before)
    const right = firstNeighbour(pieces, i + 1, after)
    const next = pieces[i + 1]
    // A `**` that is a whole part takes one of its slashes along, so that it can also stand for no part at all.
    if (piece.kind === 'slash' && next?.kind === 'globstar') {
      const beyond = firstNeighbour(pieces, i + 2, after)
      if (beyond !== 'other') {
        pattern += '(?:/.*)?'
        i++
        continue
      }
    }
    if (piece.kind === 'globstar' && left !== 'other' && next?.kind === 'slash') {
      pattern += '(?:.*/)?'
      i++
      continue
    }
    pattern += translatePiece(piece, left, right)
  }
  return pattern
}

function translatePiece(piece: Piece, before: Neighbour, after: Neighbour): string {
  switch (piece.kind) {
    case 'character':
      return codePointPattern(piece.value.codePointAt(0) ?? 0)
    case 'slash':
      return '/'
    case 'any':
      return '[^/]'
    case 'star':
      return '[^/]*'
    case 'globstar':
      return '.*'
    case 'class':
      return classPattern(piece.ranges)
    case 'choice':
      return `(?:${piece.choices.map((choice) => translateSequence(choice, before, after)).join('|')})`
  }
}

/** Every character by number: nothing in a glob can then be read as RE2's syntax. */
function codePointPattern(codePoint: number): string {
  return `\\x{${codePoint.toString(16)}}`
}

function classPattern(ranges: readonly Range[]): string {
  if (ranges.length === 0) return NOTHING
  return `[${ranges.map(([first, last]) => `${codePointPattern(first)}-${codePointPattern(last)}`).join('')}]`
}

/** What comes next, seen from the piece before `from`. */
function firstNeighbour(pieces: readonly Piece[], from: number, beyond: Neighbour): Neighbour {
  const piece = pieces[from]
  if (piece === undefined) return beyond
  if (piece.kind === 'slash') return 'slash'
  if (piece.kind !== 'choice') return 'other'
  const behind = firstNeighbour(pieces, from + 1, beyond)
  return agreed(piece.choices.map((choice) => firstNeighbour(choice, 0, behind)))
}

/** What came last, seen from the piece after `from`. */
function lastNeighbour(pieces: readonly Piece[], from: number, beyond: Neighbour): Neighbour {
  const piece = pieces[from]
  if (piece === undefined) return beyond
  if (piece.kind === 'slash') return 'slash'
  if (piece.kind !== 'choice') return 'other'
  const ahead = lastNeighbour(pieces, from - 1, beyond)
  return agreed(piece.choices.map((choice) => lastNeighbour(choice, choice.length - 1, ahead)))
}

/** Where only some choices begin or end at a part's edge, a `**` beside them is not a whole part. */
function agreed(neighbours: readonly Neighbour[]): Neighbour {
  return neighbours.includes('other') ? 'other' : (neighbours[0] ?? 'other')
}

function translate(glob: string): string {
  if (glob === '') throw new Problem('invalid_parameter', 'a glob is empty')
  if (glob.length > MAX_GLOB_LENGTH) {
    throw new Problem(
      'invalid_parameter',
      `a glob has ${glob.length} characters, at most ${MAX_GLOB_LENGTH} are taken`,
    )
  }
  // Paths are relative and clean: such a glob matches nothing, and a rule that says nothing must not pass a gate.
  if (/^\.{0,2}\/|\/\.{0,2}(\/|$)/.test(glob)) {
    throw new Problem(
      'invalid_parameter',
      `the glob ${JSON.stringify(glob)} can match no path: paths have no slash at either end and no part that is empty, \`.\` or \`..\``,
    )
  }
  return translateSequence(new Parser(glob).parse(), 'edge', 'edge')
}

function checkCount(globs: readonly string[]): void {
  if (globs.length <= MAX_GLOBS) return
  throw new Problem('invalid_parameter', `there are ${globs.length} globs, at most ${MAX_GLOBS} are taken`)
}

/**
 * Which of the globs match a path, by their position, ascending: one automaton for all of them.
 *
 * @param globs at most 100 of at most 256 characters
 * @returns a test for relative paths as text (`usr/bin/env`)
 * @throws Problem `invalid_parameter` that quotes the glob that is malformed or cannot match any path
 */
export function compileGlobSet(globs: readonly string[]): (path: string) => readonly number[] {
  checkCount(globs)
  const set = new RE2Set(RE2Set.ANCHOR_BOTH, RE2JS.DOTALL, AUTOMATON_BYTES)
  for (const glob of globs) set.add(translate(glob))
  set.compile()
  return globs.length === 0 ? () => [] : (path) => set.match(path)
}

/**
 * Whether any of the globs matches a path; no glob matches none.
 *
 * @param globs at most 100 of at most 256 characters
 * @returns a test for relative paths as text (`usr/bin/env`)
 * @throws Problem `invalid_parameter` that quotes the glob that is malformed or cannot match any path
 */
export function compileGlobs(globs: readonly string[]): (path: string) => boolean {
  checkCount(globs)
  if (globs.length === 0) return () => false
  const expression = RE2JS.compile(globs.map((glob) => `(?:${translate(glob)})`).join('|'), RE2JS.DOTALL)
  return (path) => expression.testExact(path)
}
