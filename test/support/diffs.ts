/** Diffs to render, and hostile names that try to be more than text. */
import fc from 'fast-check'
import type { Comparison, Diff } from '../../src/diff/summary.ts'
import type { ImageIdentity } from '../../src/image/report.ts'

const figure = (from: number, to: number): Comparison => ({ from, to, delta: to - from })

function image(tag: string): ImageIdentity {
  return {
    reference: `registry.example/team/app:${tag}`,
    transport: 'docker',
    registry: 'registry.example',
    id: `sha256:${'c'.repeat(64)}`,
    repository: 'team/app',
    tag,
    digest: `sha256:${'0'.repeat(64)}`,
    platform: 'linux/amd64',
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    os: 'linux',
    architecture: 'amd64',
  }
}

/** The diff of two equal images. */
export const SAME: Diff = {
  from: image('v1'),
  to: image('v2'),
  size: {
    compressedBytes: figure(100, 100),
    uncompressedBytes: figure(300, 300),
    fileBytes: figure(250, 250),
    rootfsBytes: figure(200, 200),
    apparentBytes: figure(200, 200),
    stored: { from: 'compressed', to: 'compressed' },
  },
  waste: figure(50, 50),
  counts: { layers: figure(2, 2), files: figure(10, 10) },
  identical: true,
  layers: { shared: [], removed: [], added: [] },
  files: {
    counts: { added: 0, removed: 0, modified: 0, contentModified: 0, typeChanged: 0, mtimeOnly: 0 },
    bytes: { added: 0, removed: 0, modifiedDelta: 0 },
    directories: [],
    largest: [],
  },
  packages: { added: [], removed: [], changed: [] },
  config: [],
  history: { added: [], removed: [] },
}

/** The diff of two images that differ in everything, with the names wherever a name can appear. */
export function diffNaming(names: readonly string[]): Diff {
  const all = <T>(make: (name: string, i: number) => T): T[] => names.map(make)
  return {
    ...SAME,
    identical: false,
    size: {
      compressedBytes: figure(85_400_000, 53_800_000),
      uncompressedBytes: figure(240_000_000, 121_000_000),
      fileBytes: figure(230_000_000, 115_000_000),
      rootfsBytes: figure(133_000_000, 113_000_000),
      apparentBytes: figure(134_000_000, 114_000_000),
      stored: { from: 'compressed', to: 'compressed' },
    },
    waste: figure(100_000_000, 2_000_000),
    counts: { layers: figure(8, 7), files: figure(5_834, 5_646) },
    layers: {
      shared: [],
      removed: all((createdBy, index) => layer(index, createdBy)),
      added: all((createdBy, index) => layer(index, createdBy)),
    },
    files: {
      counts: { added: 3, removed: 4, modified: 5, contentModified: 1, typeChanged: 0, mtimeOnly: 6 },
      bytes: { added: 1, removed: 2, modifiedDelta: 3 },
      directories: all((path, i) => ({ path, delta: 1_000 - i, added: 1, removed: 2, modified: 3 })),
      largest: all((path, i) => ({
        path,
        change: 'added',
        fromBytes: 0,
        toBytes: 1_000 - i,
        delta: 1_000 - i,
      })),
    },
    packages: {
      added: all((name) => ({ type: 'deb', name, to: name, deltaBytes: 5 })),
      removed: all((name) => ({ type: 'deb', name, from: name })),
      changed: all((name) => ({ type: 'npm', name, from: name, to: name, deltaBytes: -5 })),
    },
    config: all((name) => ({ field: `env.${name}`, from: name, to: [name] })),
    history: {
      added: all((createdBy) => ({ createdBy, emptyLayer: true })),
      removed: all((createdBy) => ({ createdBy, emptyLayer: true })),
    },
  }
}

function layer(index: number, createdBy: string) {
  return {
    diffId: '',
    index,
    digest: '',
    compressedBytes: 1,
    uncompressedBytes: 2,
    wastedBytes: 3,
    createdBy,
  }
}

const PIECES = [
  ...'|`<>&@#!~*_[](){}:/\\"\'-+ a1\n\r\t\0\x1b\x9b\u202e\u200b\ufeff\ud800é😀',
  '```',
  '</details>',
  '</td></tr></table>',
  '<script>alert(1)</script>',
  '![x](http://x.example/y.png)',
  'https://x.example/',
  '@octocat',
  '#12',
  '\n::error::x',
  '##[error]x',
  '\x1b[31m',
  '&#124;',
  '\\|',
]

/** Names that an attacker would choose. */
export const hostileNames = fc.array(
  fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join('')),
  { minLength: 1, maxLength: 4 },
)

/** Harmless names that form the same tree: each part between slashes is renamed. */
export function sameTree(names: readonly string[]): string[] {
  const parts = new Map<string, string>()
  const rename = (part: string) => {
    if (!parts.has(part)) parts.set(part, `name ${parts.size}`)
    return parts.get(part) ?? ''
  }
  return names.map((name) => name.replace(/[^/]+/g, rename))
}
