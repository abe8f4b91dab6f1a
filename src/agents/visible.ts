/**
 * Text from images for a model: characters that people do not see, but a model does (tags, zero width, bidirectional), or that a
 * terminal acts on, become JSON's escapes. In a line of JSON they mean what they meant before.
 */

const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u2065\ufffe\uffff\u{e0000}-\u{e0fff}]/gu

export function visibleJson(json: string): string {
  return json.replace(HIDDEN, escaped)
}

/** Tabs and lines stay. */
export function visibleText(text: string): string {
  return text.replace(HIDDEN, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  )
}

function escaped(character: string): string {
  let units = ''
  for (let at = 0; at < character.length; at++)
    units += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
  return units
}
