/** Go's build info, as the linker writes it since Go 1.18 (`debug/buildinfo`): the toolchain's version, and the modules. */
import { isElf } from './elf-header.ts'

const MARK = Buffer.from('\xff Go buildinf:', 'latin1')
/** Mark, pointer size, flags, padding. */
export const BUILD_INFO_HEAD = 32
export const BUILD_INFO_ALIGNMENT = 16
const FLAGS = 15
const INLINE = 2
const MAX_VERSION_BYTES = 4_096
/** Limit on the text of the modules. */
export const MAX_BUILD_INFO_BYTES = 2 * 1024 * 1024
/** A text with more is no build info: large programs have some hundred. */
const MAX_MODULES = 50_000
/** The text stands between two marks of this length. */
const FRAME = 16

export type GoModule = {
  readonly name: string
  readonly version?: string
  /** The path in the program, if it differs: the module was replaced. */
  readonly replaces?: string
  readonly isMain: boolean
}

export type GoBuildInfo = {
  /** Of the toolchain, without `go`; absent for one between releases. */
  readonly version?: string
  /** In its order. */
  readonly modules: readonly GoModule[]
}

const MACHO = new Set(['feedface', 'feedfacf', 'cefaedfe', 'cffaedfe', 'cafebabe'])

/** Whether a file begins as an ELF, PE or Mach-O file. */
export function isExecutable(head: Uint8Array): boolean {
  if (isElf(head) || (head[0] === 0x4d && head[1] === 0x5a)) return true
  return head.length >= 4 && MACHO.has(Buffer.from(head.subarray(0, 4)).toString('hex'))
}

/** Position of the first mark at a multiple of 16 from `at` on; -1 if there is none. @param shift position of `bytes` in the file */
export function findBuildInfo(bytes: Uint8Array, at: number, shift = 0): number {
  const first = at + ((BUILD_INFO_ALIGNMENT - ((shift + at) % BUILD_INFO_ALIGNMENT)) % BUILD_INFO_ALIGNMENT)
  const last = bytes.length - MARK.length
  for (let i = first; i <= last; i += BUILD_INFO_ALIGNMENT)
    if (bytes[i] === 0xff && bytes[i + 1] === 0x20 && hasMark(bytes, i)) return i
  return -1
}

function hasMark(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < MARK.length; i++) if (bytes[at + i] !== MARK[i]) return false
  return true
}

/**
 * The build info at the beginning of `bytes`.
 *
 * @returns `more` if it may be one, but the bytes end before it does; undefined if it is none
 */
export function parseBuildInfo(bytes: Uint8Array): GoBuildInfo | 'more' | undefined {
  if (bytes.length < BUILD_INFO_HEAD) return 'more'
  if (((bytes[FLAGS] ?? 0) & INLINE) === 0) return undefined
  const version = textAt(bytes, BUILD_INFO_HEAD, MAX_VERSION_BYTES)
  if (typeof version !== 'object') return version
  const written = version.text.toString('latin1')
  if (!/^(?:go\d|devel)/.test(written)) return undefined
  const modules = textAt(bytes, version.end, MAX_BUILD_INFO_BYTES)
  if (typeof modules !== 'object') return modules
  return parseModules(written, unframed(modules.text))
}

/** A text and its length before it. */
function textAt(
  bytes: Uint8Array,
  at: number,
  most: number,
): { readonly text: Buffer; readonly end: number } | 'more' | undefined {
  let length = 0
  let next = at
  for (let shift = 0; ; shift += 7) {
    if (shift > 35) return undefined
    const byte = bytes[next++]
    if (byte === undefined) return 'more'
    length += (byte & 127) * 2 ** shift
    if (byte < 128) break
  }
  if (length > most) return undefined
  const end = next + length
  if (end > bytes.length) return 'more'
  return { text: Buffer.from(bytes.buffer, bytes.byteOffset + next, length), end }
}

function unframed(text: Buffer): string {
  if (text.length < 2 * FRAME + 1 || text[text.length - FRAME - 1] !== 0x0a) return ''
  return text.subarray(FRAME, -FRAME).toString('utf8')
}

function parseModules(written: string, text: string): GoBuildInfo | undefined {
  const modules: GoModule[] = []
  for (const line of linesOf(text)) {
    const [word = '', name, version = ''] = line.split('\t', 3)
    if (name === undefined) continue
    if (modules.length === MAX_MODULES) return undefined
    if (word === 'mod' || word === 'dep') modules.push(moduleOf(name, version, word === 'mod'))
    const replaced = word === '=>' ? modules.pop() : undefined
    if (replaced !== undefined) modules.push(replacement(replaced, name, version))
  }
  const [tool = ''] = written.split(' ', 1)
  return { ...(tool.startsWith('go') ? { version: tool.slice(2) } : {}), modules }
}

/** One after the other: millions of empty ones would take memory. */
function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at)
    yield text.slice(at, end < 0 ? text.length : end)
    at = end < 0 ? text.length : end + 1
  }
}

function moduleOf(name: string, version: string, isMain: boolean): GoModule {
  return { name, ...(version === '' || version === '(devel)' ? {} : { version }), isMain }
}

/** A local folder has no version, and no name that others know. */
function replacement(replaced: GoModule, name: string, version: string): GoModule {
  const { isMain } = replaced
  const path = replaced.replaces ?? replaced.name
  if (/^\.{0,2}\//.test(name)) return { name: replaced.name, isMain }
  return { ...moduleOf(name, version, isMain), ...(name === path ? {} : { replaces: path }) }
}
