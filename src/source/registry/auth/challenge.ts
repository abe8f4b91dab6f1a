/**
 * Challenges of `WWW-Authenticate`: what a server wants to be told. Source: RFC 9110, sections 5.6 and 11.
 *
 * ```
 * WWW-Authenticate = [ challenge *( OWS "," OWS challenge ) ]
 * challenge        = auth-scheme [ 1*SP ( token68 / [ auth-param *( OWS "," OWS auth-param ) ] ) ]
 * auth-param       = token BWS "=" BWS ( token / quoted-string )
 * ```
 *
 * The comma stands between challenges as well as between parameters, so a word is a scheme where no `=` follows it.
 */

export type Challenge = {
  /** In lower case. */
  readonly scheme: string
  /** Names in lower case; of a name that comes twice the first value. */
  readonly parameters: ReadonlyMap<string, string>
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const TOKEN68 = /[0-9A-Za-z._~+/-]+=*(?=[ \t]*(?:,|$))/y
const SPACE = /[ \t]*/y
const SEPARATORS = /[ \t,]*/y
const EQUALS = /[ \t]*=[ \t]*/y
const QUOTED = /"((?:[^"\\]|\\[\s\S])*)"/y

/** Far above what any server sends. */
const MAX_LENGTH = 16_384

class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get ended(): boolean {
    return this.#at >= this.#text.length
  }

  /** What the pattern matches here, past which it goes on; undefined, and stays, where it does not match. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) return undefined
    this.#at = pattern.lastIndex
    return match
  }

  /** Past the next comma, or the end. */
  skipToComma(): void {
    const comma = this.#text.indexOf(',', this.#at)
    this.#at = comma < 0 ? this.#text.length : comma + 1
  }
}

function takeValue(scanner: Scanner): string | undefined {
  const quoted = scanner.take(QUOTED)
  if (quoted !== undefined) return (quoted[1] ?? '').replace(/\\([\s\S])/g, '$1')
  return scanner.take(TOKEN)?.[0]
}

/**
 * All challenges of the header's value, in its order. What does not follow the grammar is passed over up to the next
 * comma, so that one odd challenge does not hide the others.
 *
 * @param header several headers joined by commas, as `Headers.get` gives them
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const scanner = new Scanner(header.slice(0, MAX_LENGTH))
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  while (scanner.take(SEPARATORS) && !scanner.ended) {
    const word = scanner.take(TOKEN)?.[0]
    if (word === undefined) {
      scanner.skipToComma()
      continue
    }
    const current = challenges.at(-1)
    if (scanner.take(EQUALS) === undefined) {
      challenges.push({ scheme: word.toLowerCase(), parameters: new Map() })
      scanner.take(SPACE)
      scanner.take(TOKEN68)
      continue
    }
    const value = takeValue(scanner)
    if (value === undefined || current === undefined) {
      scanner.skipToComma()
      continue
    }
    const name = word.toLowerCase()
    if (!current.parameters.has(name)) current.parameters.set(name, value)
  }
  return challenges
}
