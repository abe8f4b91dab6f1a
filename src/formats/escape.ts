/**
 * Names inside images are hostile text. This removes whatever a format could act on, in a way specific to each format. Common
 * to all: characters that are invisible, or that change how others look, are shown as escapes (` `, `\x1b`, `\u202e`), so that
 * every name is one line of visible text.
 */

/** Controls, formatting characters (bidi, zero width, tags), line separators, lone surrogates and non-characters. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffe\uffff]/gu

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** One line in which every character is visible. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => NAMED[character] ?? numbered(character.codePointAt(0) ?? 0))
}

function numbered(codePoint: number): string {
  const hex = codePoint.toString(16)
  if (codePoint <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return codePoint <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}

/**
 * For a terminal and a CI log. A CI executes commands in its log: Azure Pipelines and TeamCity anywhere in a line (`##[`,
 * `##vso[`), as does GitHub for `##[`; `::` only at the start of a line, which {@link terminalLine} prevents.
 */
export function terminalText(text: string): string {
  return visible(text).replace(/##(?=\w*\[)/g, '#\\#')
}

/** A whole line, made of parts that are {@link terminalText} already, which no CI takes for a command. */
export function terminalLine(line: string): string {
  return line.replace(/^(\s*)::/, '$1\\::')
}

/**
 * A name in Markdown, including tables: as code, where no renderer sees links, mentions, references, images or HTML. Only a `|`
 * still ends a table's cell there, and renderers disagree about a backslash before it, so pipes are placed outside of the code.
 */
export function markdownCode(text: string): string {
  return visible(text).split('|').map(codeSpan).join('&#124;')
}

/** CommonMark 0.31, 6.1: fenced by a run of backticks that does not occur inside; one space at both ends is stripped. */
function codeSpan(text: string): string {
  if (text === '') return ''
  const runs = new Set(text.match(/`+/g)?.map((run) => run.length))
  let length = 1
  while (runs.has(length)) length++
  const fence = '`'.repeat(length)
  const padding = /^`|`$|^ (?= *[^ ]).* $/.test(text) ? ' ' : ''
  return `${fence}${padding}${text}${padding}${fence}`
}

/**
 * A sentence in Markdown, including tables: everything that could be syntax is a character reference, which is never syntax
 * (CommonMark 0.31, 6.2). Renderers look for mentions, references and addresses after that, in the text, so an invisible break
 * is inserted into those. For names use {@link markdownCode}.
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

/** For HTML's and XML's text and quoted attributes: characters that XML 1.0 does not have are visible text by now. */
export function markupText(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => MARKUP[character] ?? character)
}

/** A whole line of markup that begins with such text: no CI takes it for a command, and a parser reads the original. */
export function markupLine(line: string): string {
  return line.replace(
    /^(\s*)(:(?=:)|#(?=#\w*\[))/,
    (_, space: string, mark: string) => `${space}&#${mark.codePointAt(0)};`,
  )
}
