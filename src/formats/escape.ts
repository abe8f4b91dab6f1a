/**
 * Names inside images are hostile text. This removes from them whatever a format could act on, for each format in its
 * own way. Common to all: characters that cannot be seen, or that change how others are seen, show as what they are
 * (`\n`, `\x1b`, `\u202e`), so that every name is one line of visible text.
 */

/** Controls, formatting characters (bidi, zero width, tags), line separators, lone surrogates and non-characters. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffe\uffff]/gu

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** One line in which every character can be seen. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => NAMED[character] ?? numbered(character.codePointAt(0) ?? 0))
}

function numbered(codePoint: number): string {
  const hex = codePoint.toString(16)
  if (codePoint <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return codePoint <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}

/**
 * For a terminal and a CI's log. A CI reads commands out of what it logs: Azure Pipelines and TeamCity from any place in
 * a line (`##[`, `##vso[`), as does GitHub for `##[`; `::` only at a line's start, which is {@link terminalLine}'s affair.
 */
export function terminalText(text: string): string {
  return visible(text).replace(/##(?=\w*\[)/g, '#\\#')
}

/** A whole line, made of parts that are {@link terminalText} already, which no CI takes for a command. */
export function terminalLine(line: string): string {
  return line.replace(/^(\s*)::/, '$1\\::')
}

/**
 * A name in Markdown, in a table too: as code, where no renderer sees links, mentions, references, images or HTML. Only
 * a `|` still ends a table's cell there, and renderers differ on what a backslash before it does, so pipes stand outside.
 */
export function markdownCode(text: string): string {
  return visible(text).split('|').map(codeSpan).join('&#124;')
}

/** CommonMark 0.31, 6.1: fenced by a run of backticks that does not occur inside; one space at both ends is taken off. */
function codeSpan(text: string): string {
  if (text === '') return ''
  const runs = new Set(text.match(/`+/g)?.map((run) => run.length))
  let length = 1
  while (runs.has(length)) length++
  const fence = '`'.repeat(length)
  const padding = /^`|`$|^ .*[^ ].* $/.test(text) ? ' ' : ''
  return `${fence}${padding}${text}${padding}${fence}`
}

/**
 * A sentence in Markdown, in a table too: everything that could be syntax is a character reference, which is never
 * syntax (CommonMark 0.31, 6.2). Renderers look for mentions, references and addresses after that, in the text, so an
 * invisible break stands within those. Names are better off in {@link markdownCode}.
 */
export function markdownText(text: string): string {
  return visible(text)
    .replace(/[@#!$%~&](?=\w)|:(?=\/\/)|www(?=\.)/gi, '$&\u200b')
    .replace(/[&<>|`*_~[\]\\#@!$:{}^\u200b]|^(?: +|[-+=]|\d+(?=[.)]))/g, (syntax) =>
      Array.from(syntax, (character) => `&#${character.codePointAt(0)};`).join(''),
    )
}

const MARKUP: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** For HTML's and XML's text and quoted attributes: what XML 1.0 has no character for has become visible text before. */
export function markupText(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => MARKUP[character] ?? character)
}

/** A whole line of markup that begins with such text: no CI takes it for a command, and a parser reads what it said. */
export function markupLine(line: string): string {
  return line.replace(
    /^(\s*)(:(?=:)|#(?=#\w*\[))/,
    (_, space: string, mark: string) => `${space}&#${mark.codePointAt(0)};`,
  )
}
