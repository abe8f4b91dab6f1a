/**
 * Finds the steps of an image's history in the Dockerfile that it was built from. History and Dockerfile are compared
 * from their ends, since a history begins with the base image's steps, which no Dockerfile here shows.
 */
import { buildStep } from './build-step.ts'
import type { HistoryStep } from './config.ts'

/** A longer Dockerfile is read only in part. */
const MAX_INSTRUCTIONS = 2_000
/** At most this many steps are matched, since they come from outside. */
const MAX_STEPS = 1_000
/** Limit on the comparisons by literal pieces, the most expensive ones. */
const MAX_TRIES = 50_000
/** `$A`, `${A}`, `${A:-x}`, `${A:-${B}}`. Braces end the search, so a text of nothing but `${` is read only once. */
const VARIABLE = /\$(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)?\}|\w+)/

type Instruction = {
  readonly name: string
  /** The text after the name, with white space collapsed. */
  readonly rest: string
  /** From 1. */
  readonly line: number
}

/**
 * The line of each step's instruction. A step of the base image has the line of `FROM`, if it can be found.
 *
 * @param text at most 256 KiB
 */
export function dockerfileLines(
  text: string,
  history: readonly HistoryStep[],
): readonly (number | undefined)[] {
  const instructions = readInstructions(text)
  const chain = stageChain(instructions)
  const lines = new Array<number | undefined>(history.length)
  const first = Math.max(history.length - MAX_STEPS, 0)
  const matcher = new Matcher(chain)
  let earliest = history.length
  for (let step = history.length - 1; step >= first; step--) {
    const line = matcher.lineOf(history[step]?.createdBy ?? '')
    if (line === undefined) continue
    lines[step] = line
    earliest = step
  }
  const from = chain[0]?.name === 'FROM' ? chain[0].line : undefined
  // If they have no step in common, it may be another image's Dockerfile.
  if (earliest < history.length) for (let step = 0; step < earliest; step++) lines[step] = from
  return lines
}

/** Logical lines: continuations joined, comments and heredocs skipped. */
function readInstructions(text: string): readonly Instruction[] {
  const physical = text.split(/\r?\n/)
  const continuation = /^#\s*escape\s*=\s*`/im.test(text.slice(0, 500)) ? '`' : '\\'
  const instructions: Instruction[] = []
  for (let i = 0; i < physical.length && instructions.length < MAX_INSTRUCTIONS; i++) {
    const line = i + 1
    let whole = (physical[i] ?? '').trim()
    if (whole === '' || whole.startsWith('#')) continue
    const parts: string[] = []
    while (whole.endsWith(continuation) && i + 1 < physical.length) {
      parts.push(whole.slice(0, -1))
      do whole = (physical[++i] ?? '').trim()
      while (whole.startsWith('#') && i + 1 < physical.length)
    }
    parts.push(whole)
    const command = parts.join(' ')
    for (const [, word = ''] of command.matchAll(/<<-?["']?([A-Za-z_]\w*)["']?/g)) {
      while (i + 1 < physical.length && (physical[++i] ?? '').trim() !== word);
    }
    const [, name = '', rest = ''] = /^([A-Za-z]+)\s+(.*)$/s.exec(command) ?? []
    if (name !== '') instructions.push({ name: name.toUpperCase(), rest: plain(rest), line })
  }
  return instructions
}

/** The last stage's instructions, and before them those of the stages that it is built on; the first is a `FROM`. */
function stageChain(instructions: readonly Instruction[]): readonly Instruction[] {
  const stages: { readonly name: string; readonly base: string; readonly from: number; end: number }[] = []
  for (const [at, { name, rest }] of instructions.entries()) {
    if (name !== 'FROM') continue
    const words = rest.split(' ').filter((word) => !word.startsWith('--'))
    const last = stages.at(-1)
    if (last !== undefined) last.end = at
    const alias = words[1]?.toUpperCase() === 'AS' ? (words[2] ?? '') : ''
    const base = (words[0] ?? '').toLowerCase()
    stages.push({ name: alias.toLowerCase(), base, from: at, end: instructions.length })
  }
  let chain: readonly Instruction[] = []
  for (let stage = stages.length - 1; stage >= 0; ) {
    const { base, from, end } = stages[stage] ?? { base: '', from: 0, end: 0 }
    // If another stage is based on this one, only its steps count, not its `FROM`.
    chain = [...instructions.slice(from, end), ...chain.filter(({ name }) => name !== 'FROM')]
    stage = stages.findLastIndex(({ name }, at) => at < stage && name !== '' && name === base)
  }
  return chain
}

/** Finds steps from the last to the first, each before the previous match. */
class Matcher {
  readonly #instructions: readonly Instruction[]
  /** Positions of instructions by their text, ascending. */
  readonly #positions = new Map<string, number[]>()
  #end: number
  #tries = MAX_TRIES

  constructor(instructions: readonly Instruction[]) {
    this.#instructions = instructions
    this.#end = instructions.length
    for (const [at, { name, rest }] of instructions.entries()) {
      const said = `${name} ${withoutOptions(rest)}`
      const known = this.#positions.get(said)
      if (known === undefined) this.#positions.set(said, [at])
      else known.push(at)
    }
  }

  lineOf(createdBy: string): number | undefined {
    const [, name, rest = ''] = /^([A-Z]+) (.*)$/.exec(plain(buildStep(createdBy))) ?? []
    if (name === undefined) return undefined
    const at = this.#exact(`${name} ${withoutOptions(rest)}`) ?? this.#alike(name, withoutOptions(rest))
    if (at === undefined) return undefined
    this.#end = at
    return this.#instructions[at]?.line
  }

  #exact(said: string): number | undefined {
    return this.#positions.get(said)?.findLast((at) => at < this.#end)
  }

  /**
   * In the history variables are expanded, the classic builder has checksums for copied files, and long steps are cut.
   */
  #alike(name: string, rest: string): number | undefined {
    for (let at = this.#end - 1; at >= 0; at--) {
      const instruction = this.#instructions[at]
      if (instruction?.name !== name) continue
      if (this.#tries-- <= 0) return undefined
      if (isAlike(withoutOptions(instruction.rest), rest)) return at
    }
    return undefined
  }
}

function isAlike(written: string, built: string): boolean {
  if (built.endsWith('…')) return written.startsWith(built.slice(0, -1))
  const [, target] = /^(?:file|dir|multi):[0-9a-f]+ in (\S+)$/.exec(built) ?? []
  if (target !== undefined) {
    const last = written.split(' ').at(-1) ?? ''
    return withoutSlash(last) === withoutSlash(target)
  }
  const pieces = written.split(VARIABLE)
  if (pieces.length < 2 || !built.startsWith(pieces[0] ?? '')) return false
  let from = 0
  for (const piece of pieces) {
    const found = built.indexOf(piece, from)
    if (found < 0) return false
    from = found + piece.length
  }
  return built.endsWith(pieces.at(-1) ?? '')
}

/** Not every builder keeps `--mount`, `--chown` and the like in the history. */
function withoutOptions(rest: string): string {
  return rest.replace(/^(?:--\S+ )+/, '')
}

function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}
