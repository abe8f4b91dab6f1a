/**
 * Text from images for a model: characters that people do not see, but a model does (tags, zero width, bidirectional), or that a
 * terminal acts on, become JSON's escapes. In a line of JSON they mean what they meant before.
 */
import { jsonEscape } from '../text/json.ts'

const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u2065\ufffe\uffff\u{e0000}-\u{e0fff}]/gu

export function visibleJson(json: string): string {
  return json.replace(HIDDEN, jsonEscape)
}

/** Tabs and lines stay. */
export function visibleText(text: string): string {
  return text.replace(HIDDEN, (character) =>
    character === '\n' || character === '\t' ? character : jsonEscape(character),
  )
}
