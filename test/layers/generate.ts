/** Random layers with few names, so that they overlap: what images contain and what only an attacker would make. */
import fc from 'fast-check'
import { type Entry, sortKey, whiteoutOf } from '../../src/layer/entry.ts'
import { pathToKey } from '../../src/text/path.ts'

const NAMES = ['a', 'b', 'c', '-d', '.e', 'a-', 'a.b'] as const

const name = fc.constantFrom(...NAMES)
const plainPath = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const directory = fc.array(name, { maxLength: 3 }).map((parts) => parts.map((part) => `${part}/`).join(''))
const path = fc.oneof(
  { weight: 40, arbitrary: plainPath },
  { weight: 8, arbitrary: fc.tuple(directory, name).map(([at, hidden]) => `${at}.wh.${hidden}`) },
  { weight: 2, arbitrary: directory.map((at) => `${at}.wh..wh..opq`) },
  { weight: 1, arbitrary: fc.tuple(directory, name).map(([at, left]) => `${at}.wh..wh.aufs/${left}`) },
  { weight: 1, arbitrary: directory.map((at) => `${at}.wh..wh.aufs`) },
  { weight: 1, arbitrary: directory.map((at) => `${at}.wh.`) },
  // A directory with a whiteout's name, which no tool makes.
  {
    weight: 2,
    arbitrary: fc
      .tuple(directory, name, plainPath)
      .map(([at, hidden, below]) => `${at}.wh.${hidden}/${below}`),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(directory, name).map(([at, hidden]) => `${at}.wh.${hidden}/.wh..wh.aufs`),
  },
  { weight: 1, arbitrary: directory.map((at) => `${at}.wh./a`) },
  { weight: 1, arbitrary: fc.constant('') },
)
const type = fc.oneof(
  { weight: 6, arbitrary: fc.constant('file' as const) },
  { weight: 4, arbitrary: fc.constant('directory' as const) },
  { weight: 4, arbitrary: fc.constant('hardlink' as const) },
  { weight: 1, arbitrary: fc.constant('symlink' as const) },
  { weight: 1, arbitrary: fc.constant('fifo' as const) },
)

const member = fc
  .record({
    path,
    type,
    content: fc.nat(5),
    mode: fc.nat(7),
    link: fc.oneof(
      { weight: 9, arbitrary: plainPath },
      { weight: 1, arbitrary: fc.constantFrom('/', '../a', './b') },
    ),
    /** A whiteout is usually empty. */
    whiteoutBytes: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(9) }),
  })
  .map(({ path, type, content, mode, link, whiteoutBytes }): Entry => {
    const key = pathToKey(path)
    const whiteout = whiteoutOf(key)
    const isFile = type === 'file'
    const fileBytes = whiteout === undefined ? content * 10 : whiteoutBytes
    return {
      key,
      type,
      bytes: isFile ? fileBytes : 0,
      mode,
      uid: mode,
      gid: 0,
      mtime: 1_000_000 * mode,
      ordinal: 0,
      offset: 0,
      ...(isFile ? { sha256: String.fromCharCode(content, 255 - content).padEnd(32, '\xab') } : {}),
      ...(type === 'hardlink' || type === 'symlink' ? { link } : {}),
      ...(whiteout === undefined ? {} : { whiteout }),
    }
  })

/** Each layer's members in tar order. */
export const imageLayers: fc.Arbitrary<Entry[][]> = fc
  .array(fc.array(member, { maxLength: 14 }), { minLength: 1, maxLength: 5 })
  .map((layers) =>
    layers.map((entries) => entries.map((entry, ordinal) => ({ ...entry, ordinal, offset: 512 * ordinal }))),
  )

/** A layer's rows as in its table, in batches of a few. */
export async function* tableRows(entries: readonly Entry[], batch = 3): AsyncGenerator<readonly Entry[]> {
  const sorted = entries.toSorted((a, b) => {
    const [x, y] = [sortKey(a), sortKey(b)]
    return x === y ? a.ordinal - b.ordinal : x < y ? -1 : 1
  })
  for (let start = 0; start < sorted.length; start += batch) yield sorted.slice(start, start + batch)
}
