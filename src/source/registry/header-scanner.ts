/**
 * Reads a header's value from left to right, one element of its grammar after another. Source: RFC 9110, section 5.6.
 *
 * Every pattern is sticky and matches in linear time, and no character is read again after it was consumed, so the cost of a
 * hostile value is linear in its length.
 */

export const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
export const SPACE = /[ \t]*/y
/** Commas between the elements of a list, empty elements included. */
export const SEPARATORS = /[ \t,]*/y
export const EQUALS = /[ \t]*=[ \t]*/y
const QUOTED = /"((?:[^"\\]|\\[\s\S])*)"/y

export class HeaderScanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get ended(): boolean {
    return this.#at >= this.#text.length
  }

  /**
   * Consumes what the pattern matches here; undefined, without moving, if it does not match.
   *
   * @param pattern sticky
   */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) return undefined
    this.#at = pattern.lastIndex
    return match
  }

  /** Consumes a parameter's value, a token or a quoted string, without its quotes and escapes. */
  takeValue(): string | undefined {
    const quoted = this.take(QUOTED)
    if (quoted !== undefined) return (quoted[1] ?? '').replace(/\\([\s\S])/g, '$1')
    return this.take(TOKEN)?.[0]
  }

  /** Moves past the next comma, or to the end. */
  skipToComma(): void {
    const comma = this.#text.indexOf(',', this.#at)
    this.#at = comma < 0 ? this.#text.length : comma + 1
  }
}
