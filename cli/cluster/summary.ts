/** What the images of a cluster take: each alone, on each node, and together. A layer counts once. */
import type { Inventory, Use, UsedImage } from './uses.ts'

/** A problem as the API has it. */
export type ImageProblem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly image?: string | undefined
}

/** What a reference leads to, or why it cannot be read. */
export type FoundImage =
  | {
      readonly digest: string
      readonly platform: string
      readonly compressedBytes: number
      readonly layers: number
      /** Bytes of each of its blobs, by digest. */
      readonly blobs: ReadonlyMap<string, number>
    }
  | { readonly problem: ImageProblem }

type Shared = {
  /** As written, sorted. */
  readonly references: readonly string[]
  readonly uses: readonly Use[]
  readonly nodes: readonly string[]
}

export type ClusterImage = Shared &
  (
    | {
        readonly digest: string
        readonly platform: string
        readonly compressedBytes: number
        readonly layers: number
        readonly uniqueBytes: number
        readonly sharedBytes: number
      }
    | { readonly problem: ImageProblem }
  )

export type ClusterNode = {
  readonly node: string
  readonly images: number
  readonly problems: number
  readonly compressedBytes: number
  readonly storedBytes: number
}

export type Cluster = {
  readonly images: readonly ClusterImage[]
  readonly nodes: readonly ClusterNode[]
  readonly total: {
    readonly images: number
    readonly problems: number
    readonly layers: number
    readonly compressedBytes: number
    readonly storedBytes: number
    readonly nodes: number
    readonly nodeBytes: number
  }
  readonly ignored: readonly { readonly kind: string; readonly count: number }[]
}

type Row = {
  readonly found: FoundImage
  readonly references: Set<string>
  readonly uses: Use[]
  readonly nodes: Set<string>
}

/** @param find what a used image leads to */
export function summarise({ used, ignored }: Inventory, find: (image: UsedImage) => FoundImage): Cluster {
  const rows = rowsOf(used, find)
  const counts = new Map<string, number>()
  const stored = new Map<string, number>()
  for (const { found } of rows) {
    if ('problem' in found) continue
    for (const [digest, bytes] of found.blobs) {
      counts.set(digest, (counts.get(digest) ?? 0) + 1)
      stored.set(digest, bytes)
    }
  }
  const nodes = nodesOf(rows)
  const good = rows.filter(({ found }) => !('problem' in found))
  return {
    images: rows.map((row) => imageOf(row, counts)).sort(compareImages),
    nodes,
    total: {
      images: good.length,
      problems: rows.length - good.length,
      layers: stored.size,
      compressedBytes: sum(good.map(compressedOf)),
      storedBytes: sum([...stored.values()]),
      nodes: nodes.length,
      nodeBytes: sum(nodes.map(({ storedBytes }) => storedBytes)),
    },
    ignored: [...ignored]
      .map(([kind, count]) => ({ kind, count }))
      .sort((a, b) => compareTexts(a.kind, b.kind)),
  }
}

/** One for each digest and platform; for each reference where it cannot be read. */
function rowsOf(used: readonly UsedImage[], find: (image: UsedImage) => FoundImage): readonly Row[] {
  const rows = new Map<string, Row>()
  for (const image of used) {
    const found = find(image)
    const key =
      'problem' in found ? `${found.problem.code} ${image.read}` : `${found.digest} ${found.platform}`
    const row = rows.get(key) ?? { found, references: new Set(), uses: [], nodes: new Set() }
    rows.set(key, row)
    row.references.add(image.reference)
    row.uses.push(image.use)
    if (image.node !== undefined) row.nodes.add(image.node)
  }
  return [...rows.values()]
}

function imageOf({ found, references, uses, nodes }: Row, counts: ReadonlyMap<string, number>): ClusterImage {
  const sorted = [...references].sort(compareTexts)
  const where = { uses, nodes: [...nodes].sort(compareTexts) }
  if ('problem' in found) return { references: sorted, problem: found.problem, ...where }
  const { digest, platform, compressedBytes, layers, blobs } = found
  const all = sum([...blobs.values()])
  const uniqueBytes = sum([...blobs].map(([blob, bytes]) => (counts.get(blob) === 1 ? bytes : 0)))
  const sizes = { compressedBytes, layers, uniqueBytes, sharedBytes: all - uniqueBytes }
  return { references: sorted, digest, platform, ...sizes, ...where }
}

function nodesOf(rows: readonly Row[]): readonly ClusterNode[] {
  const byNode = new Map<string, Row[]>()
  for (const row of rows) {
    for (const node of row.nodes) {
      const known = byNode.get(node)
      if (known === undefined) byNode.set(node, [row])
      else known.push(row)
    }
  }
  return [...byNode]
    .map(([node, here]): ClusterNode => {
      const good = here.filter(({ found }) => !('problem' in found))
      const blobs = new Map(good.flatMap(({ found }) => ('problem' in found ? [] : [...found.blobs])))
      return {
        node,
        images: good.length,
        problems: here.length - good.length,
        compressedBytes: sum(good.map(compressedOf)),
        storedBytes: sum([...blobs.values()]),
      }
    })
    .sort((a, b) => b.storedBytes - a.storedBytes || compareTexts(a.node, b.node))
}

function compressedOf({ found }: Row): number {
  return 'problem' in found ? 0 : found.compressedBytes
}

function compareImages(a: ClusterImage, b: ClusterImage): number {
  if ('problem' in a || 'problem' in b) {
    const order = Number('problem' in a) - Number('problem' in b)
    return order || compareTexts(a.references.join('\0'), b.references.join('\0'))
  }
  return (
    b.compressedBytes - a.compressedBytes || compareTexts(a.references.join('\0'), b.references.join('\0'))
  )
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
