/** Random merged file systems with few names, so that two of them have much in common. */
import fc from 'fast-check'
import type { MergedEntry } from '../../src/image/merged-entry.ts'
import { type PathKey, parentKey } from '../../src/text/path.ts'

const NAMES = ['a', 'b', 'a.b', 'a-', '.c', '\xff']

const key = fc
  .array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('\0'))

const PLACE = { ordinal: 0, offset: 0, layer: 0 }

/** What a path holds. */
type PathEntry = Omit<MergedEntry, 'key'>

const owned = fc.record({
  mode: fc.constantFrom(0o644, 0o755, 0o4755),
  uid: fc.nat(1),
  gid: fc.nat(1),
  mtime: fc.nat(1),
  xattrs: fc.constantFrom(
    undefined,
    new Map<string, string>(),
    new Map([['user.a', '\0\x01']]),
    new Map([['user.a', '']]),
  ),
})

const node = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(owned, fc.nat(3)).map(([of, n]): PathEntry => ({ ...PLACE, ...of, ...fileOf(n) })),
  },
  { weight: 3, arbitrary: owned.map((of): PathEntry => ({ ...PLACE, ...of, type: 'directory', bytes: 0 })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(owned, fc.constantFrom('a', '../b'))
      .map(([of, link]): PathEntry => ({ ...PLACE, ...of, type: 'symlink', bytes: 0, link })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(owned, fc.constantFrom('character' as const, 'block' as const), fc.nat(1))
      .map(([of, type, minor]): PathEntry => ({ ...PLACE, ...of, type, bytes: 0, device: [1, minor] })),
  },
)

function fileOf(content: number): Pick<MergedEntry, 'type' | 'bytes' | 'sha256'> {
  return { type: 'file', bytes: 10 * content, sha256: String.fromCharCode(content).padEnd(32, '\xab') }
}

export const IMPLICIT: PathEntry = {
  ...PLACE,
  type: 'directory',
  bytes: 0,
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  implicit: true,
}

/** Sorted by key, with every parent; directories without an entry are implicit. */
export const fileSystem: fc.Arbitrary<readonly MergedEntry[]> = fc
  .array(fc.tuple(key, node), { maxLength: 20 })
  .map((members) => {
    const tree = new Map<PathKey, PathEntry>()
    for (const [path, member] of members) {
      tree.set(path, member)
      for (let above = parentKey(path); above !== ''; above = parentKey(above)) {
        if (tree.get(above)?.type !== 'directory') tree.set(above, IMPLICIT)
      }
    }
    return sorted(tree)
  })

/** Entries below something that is not a directory do not exist. */
function sorted(tree: ReadonlyMap<PathKey, PathEntry>): MergedEntry[] {
  return [...tree]
    .filter(([path]) => path === '' || isShown(tree, path))
    .map(([path, member]) => ({ key: path, ...member }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
}

function isShown(tree: ReadonlyMap<PathKey, PathEntry>, path: PathKey): boolean {
  const above = parentKey(path)
  return above === '' || (tree.get(above)?.type === 'directory' && isShown(tree, above))
}

/** As a table returns its rows: in batches, from a given row on. */
export function batchesOf(rows: readonly MergedEntry[], size = 3) {
  return async function* (start: number): AsyncGenerator<readonly MergedEntry[]> {
    for (let at = start; at < rows.length; at += size) yield rows.slice(at, at + size)
  }
}
