/**
 * Composer's `vendor/composer/installed.json`: `{"packages": [{…}, …], …}` since version 2, only the list before. Each
 * package's object is cut out of the file as it streams by, and parsed separately.
 */
import { WorkBudget } from '../../concurrency.ts'
import { type DatabaseContent, type Finding, licenseOf, UnreadableDatabase } from './found.ts'

/** Limit on one package's object; those of large packages have some tens of KB. */
const MAX_OBJECT_BYTES = 256 * 1024
const MAX_NAME = 1_024
const MAX_LICENSES = 8
/** A byte here costs some ten times as much as a byte of a file's content. */
const WORK_A_BYTE = 10
/** And an object as much as a thousand bytes, however small it is. */
const WORK_AN_OBJECT = 1_024

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

export async function* readComposerInstalled(content: DatabaseContent): AsyncGenerator<Finding> {
  for await (const text of packageObjects(content)) {
    const found = packageOf(text)
    if (found !== undefined) yield found
  }
}

function packageOf(text: Uint8Array): Finding | undefined {
  const { name, version, license } = parse(text)
  if (typeof name !== 'string' || typeof version !== 'string' || name === '' || version === '') return
  if (name.length > MAX_NAME || version.length > MAX_NAME)
    throw new UnreadableDatabase('a name that is too long')
  return { kind: 'package', found: { type: 'composer', name, version, ...licenseOf(licenseIn(license)) } }
}

/** Several are alternatives. */
function licenseIn(license: unknown): string | undefined {
  const names = [license].flat().slice(0, MAX_LICENSES)
  return names.every((name) => typeof name === 'string') ? names.join(' OR ') : undefined
}

type PackageObject = { readonly name?: unknown; readonly version?: unknown; readonly license?: unknown }

function parse(text: Uint8Array): PackageObject {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(text))
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    throw new UnreadableDatabase('not JSON')
  }
}

/** The objects in the list that the file is, or in the lists of the object that it is. */
async function* packageObjects(content: DatabaseContent): AsyncGenerator<Uint8Array> {
  const budget = new WorkBudget()
  const cutter = new ObjectCutter()
  for await (const chunk of content) {
    for (const object of cutter.cut(chunk)) {
      yield object
      if (budget.isDue(WORK_AN_OBJECT)) await budget.yield()
    }
    if (budget.isDue(WORK_A_BYTE * chunk.length)) await budget.yield()
  }
  if (!cutter.isComplete) throw new UnreadableDatabase('it is truncated')
}

class ObjectCutter {
  /** Nesting depth of the packages' objects: 1 in a list, 2 in a list of an object. */
  #level = 0
  #depth = 0
  #isInText = false
  #isEscaped = false
  /** What earlier chunks have of the object. */
  #begun: Uint8Array[] = []
  #begunBytes = 0

  get isComplete(): boolean {
    return this.#depth === 0 && !this.#isInText
  }

  *cut(chunk: Uint8Array): Generator<Uint8Array> {
    let start = this.#isInObject ? 0 : -1
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]
      if (this.#isInText) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (byte === BACKSLASH) this.#isEscaped = true
        else if (byte === QUOTE) this.#isInText = false
      } else if (byte === QUOTE) this.#isInText = true
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (this.#depth === 0) this.#level = byte === OPEN_BRACKET ? 1 : 2
        if (byte === OPEN_BRACE && this.#depth === this.#level) start = at
        this.#depth++
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth--
        if (this.#depth < 0) throw new UnreadableDatabase('not JSON')
        if (start >= 0 && this.#depth === this.#level) {
          yield this.#whole(chunk.subarray(start, at + 1))
          start = -1
        }
      }
    }
    if (start >= 0) this.#begin(chunk.slice(start))
  }

  get #isInObject(): boolean {
    return this.#begunBytes > 0
  }

  #whole(end: Uint8Array): Uint8Array {
    this.#begin(end)
    const whole = Buffer.concat(this.#begun)
    this.#begun = []
    this.#begunBytes = 0
    return whole
  }

  #begin(piece: Uint8Array): void {
    this.#begun.push(piece)
    this.#begunBytes += piece.length
    if (this.#begunBytes > MAX_OBJECT_BYTES) {
      throw new UnreadableDatabase(`a package of more than ${MAX_OBJECT_BYTES} bytes`)
    }
  }
}
