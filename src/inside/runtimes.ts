/** Runtimes that tell their version inside a file: which file, and how the version is written there. */
import { toByteString } from '../text/bytes.ts'
import type { PathKey } from '../text/path.ts'

export type Runtime = {
  readonly name: string
  /** Base names of the file; with `*` at the end, what they begin with. */
  readonly files: readonly string[]
  /** What stands before the version; the pattern begins there. */
  readonly anchor: string
  readonly pattern: RegExp
  /** At the beginning of the file, or of a line. */
  readonly at?: 'file' | 'line'
  /** A file that must be beside the version's. */
  readonly beside?: string
  /** Whose bytes are the runtime's. */
  readonly bytes?: 'file' | 'folder'
}

/** How far a pattern reaches. */
const REACH = 512

const number = String.raw`\d+\.\d+\.\d+`

export const RUNTIMES: readonly Runtime[] = [
  {
    name: 'java',
    files: ['release'],
    anchor: 'JAVA_VERSION="',
    pattern: /^JAVA_VERSION="([^"\n]{1,256})"/,
    at: 'line',
    beside: 'bin\0java',
    bytes: 'folder',
  },
  {
    name: 'go',
    files: ['VERSION'],
    anchor: 'go',
    pattern: /^go(\d[^\s]{0,256})/,
    at: 'file',
    beside: 'bin\0go',
    bytes: 'folder',
  },
  {
    name: 'node',
    files: ['node'],
    anchor: 'node.js/v',
    pattern: new RegExp(`^node\\.js/v(${number})`),
    bytes: 'file',
  },
  {
    name: 'php',
    files: ['php'],
    anchor: 'X-Powered-By: PHP/',
    pattern: new RegExp(`^X-Powered-By: PHP/(${number}[\\w.-]{0,64})`),
    bytes: 'file',
  },
  {
    name: 'nginx',
    files: ['nginx'],
    anchor: 'nginx version: nginx/',
    pattern: new RegExp(`^nginx version: nginx/(${number})`),
    bytes: 'file',
  },
  {
    name: 'httpd',
    files: ['httpd', 'apache2'],
    anchor: 'Apache/',
    pattern: new RegExp(`^Apache/(${number})`),
    bytes: 'file',
  },
  {
    name: 'postgresql',
    files: ['postgres'],
    anchor: 'PostgreSQL ',
    pattern: /^PostgreSQL (\d+(?:\.\d+)*(?:(?:beta|rc)\d+)?)(?: \([^)\0]{0,200}\))? on /,
    bytes: 'file',
  },
  {
    name: 'busybox',
    files: ['busybox'],
    anchor: 'BusyBox v',
    pattern: new RegExp(`^BusyBox v(${number})`),
    bytes: 'file',
  },
  {
    name: 'openssl',
    files: ['libcrypto.so*'],
    anchor: 'OpenSSL ',
    pattern: new RegExp(`^OpenSSL (${number}[a-z]?) \\d{1,2} [A-Z][a-z]{2} \\d{4}`),
    bytes: 'file',
  },
  {
    name: 'curl',
    files: ['curl', 'libcurl.so*'],
    anchor: 'curl/',
    pattern: new RegExp(`^curl/(${number})`),
    bytes: 'file',
  },
  {
    name: 'python',
    files: ['patchlevel.h'],
    anchor: '#define PY_VERSION',
    pattern: /^#define PY_VERSION[ \t]{1,64}"([^"\n]{1,256})"/,
    at: 'line',
  },
  {
    name: 'ruby',
    files: ['rbconfig.rb'],
    anchor: 'CONFIG["MAJOR"]',
    pattern:
      /^CONFIG\["MAJOR"\] = "(\d+)"\s{1,64}CONFIG\["MINOR"\] = "(\d+)"\s{1,64}CONFIG\["TEENY"\] = "(\d+)"/,
  },
  { name: 'perl', files: ['Config.pm'], anchor: '$^V eq ', pattern: new RegExp(`^\\$\\^V eq (${number})`) },
]

type FileName = { readonly runtime: Runtime; readonly start: string; readonly isWhole: boolean }

/** By the code of the first character, which excludes nearly all files. */
const BY_FIRST: ReadonlyMap<number, readonly FileName[]> = Map.groupBy(
  RUNTIMES.flatMap((runtime) =>
    runtime.files.map((file) => ({
      runtime,
      start: file.replace('*', ''),
      isWhole: !file.endsWith('*'),
    })),
  ),
  ({ start }) => start.charCodeAt(0),
)

/** The runtime whose version a file at that path may tell. */
export function runtimeAt(key: PathKey): Runtime | undefined {
  const name = key.lastIndexOf('\0') + 1
  for (const { runtime, start, isWhole } of BY_FIRST.get(key.charCodeAt(name)) ?? [])
    if (key.startsWith(start, name) && (!isWhole || key.length === name + start.length)) return runtime
  return undefined
}

/** Looks for a version in a file, piece by piece. */
export class VersionSearch {
  readonly #runtime: Runtime
  readonly #anchor: Buffer
  /** The end of what was searched, in case a match begins there, and its position in the file. */
  #held: Uint8Array = new Uint8Array(0)
  #start = 0
  version: string | undefined

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    this.#anchor = Buffer.from(runtime.anchor)
  }

  push(piece: Uint8Array): void {
    if (this.version !== undefined) return
    // The byte before says whether a line begins.
    const bytes = Buffer.concat([this.#held, piece])
    this.#search(bytes, bytes.length - REACH)
    const kept = Math.max(0, bytes.length - REACH - 1)
    this.#start += kept
    this.#held = Buffer.from(bytes.subarray(kept))
  }

  finish(): void {
    if (this.version === undefined) this.#search(Buffer.from(this.#held), Number.POSITIVE_INFINITY)
  }

  /** @param end matches that begin later are looked for again with the next piece */
  #search(bytes: Buffer, end: number): void {
    const { pattern, at: place } = this.#runtime
    for (
      let at = bytes.indexOf(this.#anchor);
      at >= 0 && at < end;
      at = bytes.indexOf(this.#anchor, at + 1)
    ) {
      const position = this.#start + at
      if (place === 'file' && position > 0) return
      if (place === 'line' && position > 0 && bytes[at - 1] !== 0x0a) continue
      const found = pattern.exec(toByteString(bytes.subarray(at, at + REACH)))
      if (found === null) continue
      this.version = found.slice(1).join('.')
      return
    }
  }
}
