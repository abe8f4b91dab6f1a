/** Collects what a package database reader reports, for its tests. */
import type { Finding, FoundPackage } from '../../src/image/packages/found.ts'
import { keyToPath } from '../../src/text/path.ts'

export type Gathered = {
  readonly packages: FoundPackage[]
  /** By package; under '' before the first package and in a file list. */
  readonly files: Record<string, string[]>
}

export async function gather(findings: AsyncIterable<Finding>): Promise<Gathered> {
  const packages: FoundPackage[] = []
  const files: Record<string, string[]> = {}
  for await (const finding of findings) {
    if (finding.kind === 'package') packages.push(finding.found)
    else if (finding.paths.length > 0) {
      const owner = packages.at(-1)?.name ?? ''
      files[owner] = [...(files[owner] ?? []), ...finding.paths.map(keyToPath)]
    }
  }
  return { packages, files }
}

/** Content in pieces of `size` bytes. */
export function pieces(content: string | Uint8Array, size = 7): Uint8Array[] {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  )
}
