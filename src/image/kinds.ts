/** What a file is, judged by its name and mode: to help people find large files, not for decisions. */
import type { PathKey } from '../text/path.ts'

export const KINDS = [
  'programs',
  'code',
  'text and documentation',
  'archives',
  'data',
  'media',
  'other',
] as const

export type Kind = (typeof KINDS)[number]

const EXTENSIONS: Readonly<Record<Exclude<Kind, 'other'>, string>> = {
  programs: 'so a o ko dll dylib exe wasm node',
  code: 'py pyc pyi js mjs cjs ts map rb pl pm php go rs c h cc hpp cpp java class lua sh el elc r jl css scss',
  'text and documentation': 'txt md rst html htm xhtml mo po pot tex info pdf changelog copyright',
  archives: 'gz xz zst bz2 zip tar tgz jar war whl egg gem deb apk rpm 7z br',
  data: 'json xml yml yaml toml csv db sqlite sqlite3 dat bin pem crt conf cfg ini proto parquet npy pt onnx',
  media: 'png jpg jpeg gif svg webp ico ttf otf woff woff2 mp3 mp4 webm ogg wav',
}

const BY_EXTENSION: ReadonlyMap<string, Kind> = new Map(
  KINDS.filter((kind) => kind !== 'other').flatMap((kind) =>
    EXTENSIONS[kind].split(' ').map((extension): [string, Kind] => [extension, kind]),
  ),
)

/** Directories whose files are documentation, whatever their names. */
const DOCUMENTATION = /^usr\0share\0(?:doc|man|info|locale|help|gtk-doc|licenses)\0/

/** A library with a version: `libc.so.6`, `libssl.so.3.0.1`. */
const LIBRARY = /\.so(?:\.\d+)+$/

/** Whether its name suggests an archive or a program that can be looked into; only its bytes tell. */
export function mayOpen({
  key,
  mode,
  bytes,
}: {
  readonly key: PathKey
  readonly mode: number
  readonly bytes: number
}): boolean {
  const name = key.slice(key.lastIndexOf('\0') + 1).toLowerCase()
  if (OPENED.test(name)) return true
  // Scripts without an extension are smaller.
  return bytes >= PROGRAM_BYTES && (mode & 0o111) !== 0 && !name.includes('.')
}

const OPENED =
  /.\.(?:zip|jar|war|ear|hpi|jpi|whl|egg|nupkg|tar|tgz|tzst|tar\.gz|tar\.zst|gem|crate|deb|a|o|ko|so(?:\.\d+)*)$/
const PROGRAM_BYTES = 16 * 1024

export function kindOf({ key, mode }: { readonly key: PathKey; readonly mode: number }): Kind {
  if (DOCUMENTATION.test(key)) return 'text and documentation'
  const name = key.slice(key.lastIndexOf('\0') + 1)
  if (LIBRARY.test(name)) return 'programs'
  const dot = name.lastIndexOf('.')
  const known = dot > 0 ? BY_EXTENSION.get(name.slice(dot + 1).toLowerCase()) : undefined
  return known ?? ((mode & 0o111) === 0 ? 'other' : 'programs')
}
