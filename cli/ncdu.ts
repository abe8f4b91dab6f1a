/** The tree of an image as `ncdu -e -o` exports one, for `ncdu -f`: https://dev.yorhel.nl/ncdu/jsonfmt. */
import type { ByteString } from '../src/text/bytes.ts'
import { toByteString } from '../src/text/bytes.ts'
import { jsonEscape, toJson } from '../src/text/json.ts'
import { type FileItem, pathOf, type Questions } from './explore/questions.ts'
import { Failure } from './failure.ts'
import { VERSION } from './version.ts'

/** 2 has `nlink`. */
const FORMAT = { major: 1, minor: 2 }
/** `S_IFMT` of what ncdu shows besides the permissions. */
const FILE_TYPES: Readonly<Record<FileItem['type'], number>> = {
  file: 0o100000,
  hardlink: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  character: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
  other: 0,
}
/** Owners beyond it do not fit in what ncdu reads. */
const MOST_OWNER = 2 ** 32 - 1

/**
 * The whole tree, or a folder with all below it.
 *
 * @throws Failure `not_a_directory` if the path is a file
 */
export async function* ncduExport(questions: Questions, path: ByteString): AsyncGenerator<Uint8Array> {
  const top = await questions.folder(path)
  if (top.type !== 'directory')
    throw new Failure('not_a_directory', `${top.path} is not a directory; ncdu reads directories only`)
  const root = pathOf(top)
  const links = await countLinks(questions)
  const about = { progname: 'lamina', progver: VERSION, timestamp: Math.floor(Date.now() / 1000) }
  let text = `[${FORMAT.major},${FORMAT.minor},${toJson(about)},\n[{"name":${jsonOf(`/${root}`)}}`
  /** Paths of the folders that the next item may be in. */
  const open: ByteString[] = [root]
  for await (const items of questions.files()) {
    for (const item of items) {
      const at = pathOf(item)
      if (!isBelow(at, root)) continue
      while (!isBelow(at, open.at(-1) ?? '')) {
        open.pop()
        text += ']'
      }
      const fields = fieldsOf(item, at.slice(at.lastIndexOf('/') + 1), links)
      if (item.type === 'directory') open.push(at)
      text += item.type === 'directory' ? `,\n[${fields}` : `,\n${fields}`
    }
    yield Buffer.from(text, 'latin1')
    text = ''
  }
  yield Buffer.from(`${text}${']'.repeat(open.length)}]\n`, 'latin1')
}

function isBelow(path: ByteString, folder: ByteString): boolean {
  return folder === '' || path.startsWith(`${folder}/`)
}

/** How many paths each file has, by its inode. */
async function countLinks(questions: Questions): Promise<Uint32Array> {
  let counts = new Uint32Array(1_024)
  for await (const items of questions.files({ type: 'file' }))
    for (const { inode = 0 } of items) {
      if (inode >= counts.length) {
        const grown = new Uint32Array(2 * inode)
        grown.set(counts)
        counts = grown
      }
      counts[inode] = (counts[inode] ?? 0) + 1
    }
  return counts
}

function fieldsOf(item: FileItem, name: ByteString, links: Uint32Array): ByteString {
  const { type, bytes, inode = 0, uid, gid } = item
  const nlink = links[inode] ?? 0
  const seconds = Math.floor(Date.parse(item.mtime) / 1000)
  const numbers = {
    ...(bytes > 0 && { asize: bytes, dsize: bytes }),
    ...(type === 'file' && nlink > 1 && { ino: inode, hlnkc: true, nlink }),
    ...(type !== 'file' && type !== 'directory' && { notreg: true }),
    ...(uid <= MOST_OWNER && { uid }),
    ...(gid <= MOST_OWNER && { gid }),
    mode: FILE_TYPES[type] | Number.parseInt(item.mode, 8),
    ...(seconds >= 0 && { mtime: seconds }),
  }
  return `{"name":${jsonOf(name)},${toJson(numbers).slice(1)}`
}

/** A name as JSON with its own bytes, UTF-8 or not, as ncdu writes it; characters that a terminal acts on are escaped. */
function jsonOf(name: ByteString): ByteString {
  return JSON.stringify(name).replace(/\x7f|\xc2[\x80-\x9f]/g, (found) => jsonEscape(found.slice(-1)))
}

/** What `--path` or `--path-base64` names. */
export function pathGiven(parameters: ReadonlyMap<string, readonly string[]>): ByteString {
  const [base64] = parameters.get('pathBase64') ?? []
  const [path = ''] = parameters.get('path') ?? []
  return toByteString(Buffer.from(base64 ?? path, base64 === undefined ? 'utf8' : 'base64'))
}
