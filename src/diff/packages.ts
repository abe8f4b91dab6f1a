/** The packages of two images: which were added, which were removed, which changed their version. */
import type { Package, PackageType } from '../image/report.ts'
import { compareText } from '../text/bytes.ts'

/** An added package has no `from`, a removed one no `to`. */
export type PackageChange = {
  readonly type: PackageType
  readonly name: string
  readonly architecture?: string
  /** The file that declares it, for npm and pypi: where it is now, or was. */
  readonly path?: string
  /** Versions. */
  readonly from?: string
  readonly to?: string
  /** Growth of its own files in bytes, if both images know their size. */
  readonly deltaBytes?: number
}

export type PackageDiff = {
  readonly added: readonly PackageChange[]
  readonly removed: readonly PackageChange[]
  readonly changed: readonly PackageChange[]
}

type Packages = AsyncIterable<readonly Package[]>

/** The packages of one name: several if an image has it at several paths or in several versions. */
type Group = { from: Package[]; to: Package[] }

/** Each list sorted by type, name, architecture and path. */
export async function diffPackages(from: Packages, to: Packages): Promise<PackageDiff> {
  const groups = new Map<string, Group>()
  const collect = async (packages: Packages, side: keyof Group): Promise<void> => {
    for await (const batch of packages) {
      for (const found of batch) {
        const identity = `${found.type}\0${found.name}\0${found.architecture ?? ''}`
        const group = groups.get(identity)
        if (group !== undefined) group[side].push(found)
        else groups.set(identity, { from: [], to: [], [side]: [found] })
      }
    }
  }
  await Promise.all([collect(from, 'from'), collect(to, 'to')])
  const diff = {
    added: [] as PackageChange[],
    removed: [] as PackageChange[],
    changed: [] as PackageChange[],
  }
  for (const identity of [...groups.keys()].sort()) {
    const group = groups.get(identity)
    if (group !== undefined) diffGroup(group, diff)
  }
  return diff
}

/** A version that both images have is the same package, wherever it is; the rest are paired by path, then in order. */
function diffGroup(group: Group, diff: Record<keyof PackageDiff, PackageChange[]>): void {
  let left: Group = { from: group.from.toSorted(byPath), to: group.to.toSorted(byPath) }
  left = withoutPairs(left, (one) => `${one.version}\0${one.path ?? ''}`).left
  left = withoutPairs(left, (one) => one.version).left
  const moved = withoutPairs(left, (one) => one.path)
  const rest = withoutPairs(moved.left, () => '')
  const changed = [...moved.pairs, ...rest.pairs].sort(([, a], [, b]) => byPath(a, b))
  diff.changed.push(...changed.map(([from, to]) => change(from, to)))
  diff.added.push(...rest.left.to.map((one) => change(undefined, one)))
  diff.removed.push(...rest.left.from.map((one) => change(one, undefined)))
}

type Pair = readonly [from: Package, to: Package]

/** Pairs each package with the first on the other side that has the same mark; without one it stays single. */
function withoutPairs(
  group: Group,
  mark: (one: Package) => string | undefined,
): { readonly pairs: readonly Pair[]; readonly left: Group } {
  const waiting = Map.groupBy(group.to, mark)
  const pairs: Pair[] = []
  const from = group.from.filter((one) => {
    const wanted = mark(one)
    const other = wanted === undefined ? undefined : waiting.get(wanted)?.shift()
    if (other !== undefined) pairs.push([one, other])
    return other === undefined
  })
  const paired = new Set(pairs.map(([, other]) => other))
  return { pairs, left: { from, to: group.to.filter((one) => !paired.has(one)) } }
}

function byPath(a: Package, b: Package): number {
  return compareText(a.path ?? '', b.path ?? '') || compareText(a.version ?? '', b.version ?? '')
}

function change(from: Package | undefined, to: Package | undefined): PackageChange {
  const one = to ?? from
  if (one === undefined) throw new Error('the package is in neither image')
  const deltaBytes = growth(from, to)
  return {
    type: one.type,
    name: one.name,
    ...(one.architecture === undefined ? {} : { architecture: one.architecture }),
    ...(one.path === undefined ? {} : { path: one.path }),
    ...(from?.version === undefined ? {} : { from: from.version }),
    ...(to?.version === undefined ? {} : { to: to.version }),
    ...(deltaBytes === undefined ? {} : { deltaBytes }),
  }
}

function growth(from: Package | undefined, to: Package | undefined): number | undefined {
  const before = from === undefined ? 0 : from.bytes
  const after = to === undefined ? 0 : to.bytes
  return before === undefined || after === undefined ? undefined : after - before
}
