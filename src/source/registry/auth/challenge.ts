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
import { EQUALS, HeaderScanner, SEPARATORS, SPACE, TOKEN } from '../header-scanner.ts'

export type Challenge = {
  /** In lower case. */
  readonly scheme: string
  /** Names in lower case; if a name repeats, its first value. */
  readonly parameters: ReadonlyMap<string, string>
}

const TOKEN68 = /[0-9A-Za-z._~+/-]+=*(?=[ \t]*(?:,|$))/y

/** Far more than any server sends. */
const MAX_LENGTH = 16_384

/**
 * All challenges of the header's value, in order. Skips to the next comma where the text does not follow the grammar, so that
 * one malformed challenge does not hide the others.
 *
 * @param header several headers joined by commas, as `Headers.get` gives them
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const scanner = new HeaderScanner(header.slice(0, MAX_LENGTH))
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
    const value = scanner.takeValue()
    if (value === undefined || current === undefined) {
      scanner.skipToComma()
      continue
    }
    const name = word.toLowerCase()
    if (!current.parameters.has(name)) current.parameters.set(name, value)
  }
  return challenges
}
