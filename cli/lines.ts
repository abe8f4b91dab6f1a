/** Lists with one item per line in a terminal: paths whole, invisible characters escaped. */
import { z } from 'zod'
import { terminalLine, terminalText } from '../src/formats/escape.ts'
import { formatBytes } from '../src/text/format.ts'

export type LineOf = (item: unknown) => string

const fileSchema = z.looseObject({
  path: z.string(),
  type: z.string(),
  bytes: z.number().default(0),
  mode: z.string().default(''),
  uid: z.number().default(0),
  gid: z.number().default(0),
  link: z.string().optional(),
  whiteout: z.string().optional(),
})

/** The beginning of a line of `ls -l`. */
const TYPES: Readonly<Record<string, string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  hardlink: 'h',
  character: 'c',
  block: 'b',
  fifo: 'p',
}

const fileLine: LineOf = (item) => {
  const { path, type, bytes, mode, uid, gid, link, whiteout } = fileSchema.parse(item)
  const owner = `${uid}:${gid}`
  const target = link === undefined ? '' : `${type === 'hardlink' ? ' = ' : ' -> '}${terminalText(link)}`
  const hides = whiteout === undefined ? '' : `  (whiteout: ${whiteout})`
  const size = type === 'file' ? formatBytes(bytes) : ''
  return `${TYPES[type] ?? '?'}${permissions(mode)} ${owner.padStart(11)} ${size.padStart(9)}  ${terminalText(path)}${target}${hides}`
}

/** `4755` is `rwsr-xr-x`. */
export function permissions(mode: string): string {
  const bits = Number.parseInt(mode || '0', 8)
  const special = [
    [0o4000, 's', 'S'],
    [0o2000, 's', 'S'],
    [0o1000, 't', 'T'],
  ] as const
  return special
    .map(([bit, runs, plain], i) => {
      const three = bits >> (6 - 3 * i)
      const x = three & 1 ? 'x' : '-'
      const last = bits & bit ? (three & 1 ? runs : plain) : x
      return `${three & 4 ? 'r' : '-'}${three & 2 ? 'w' : '-'}${last}`
    })
    .join('')
}

const platformSchema = z.object({ platform: z.string(), digest: z.string(), compressedBytes: z.number() })

const platformLine: LineOf = (item) => {
  const { platform, digest, compressedBytes } = platformSchema.parse(item)
  return `${terminalText(platform).padEnd(16)}  ${terminalText(digest)}  ${formatBytes(compressedBytes)}`
}

const tagSchema = z.object({ name: z.string() })
const tagLine: LineOf = (item) => terminalText(tagSchema.parse(item).name)

/** By command. */
const LINES: Readonly<Record<string, LineOf>> = { files: fileLine, platforms: platformLine, tags: tagLine }

/** @returns undefined if the service makes the command's text */
export function lineOf(command: string): LineOf | undefined {
  const line = Object.hasOwn(LINES, command) ? LINES[command] : undefined
  return line === undefined ? undefined : (item) => `${terminalLine(line(item))}\n`
}

/** A file out of an image, line by line; tabs become spaces, since they move the cursor. */
export function safeText(text: string): string {
  return text
    .replace(/\r?\n$/, '')
    .split('\n')
    .map((line) => `${terminalLine(terminalText(line.replace(/\t/g, '    ')))}\n`)
    .join('')
}

/** JSON, one value per line, in which every character is visible. */
export function safeJson(text: string): string {
  // Characters that JSON allows and terminals act on occur only in strings, where JSON can escape them.
  return JSON.stringify(JSON.parse(text), null, 2).replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
  })
}
