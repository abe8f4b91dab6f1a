/**
 * Checks that no import runs upward: each layer of the architecture knows those before it in `LAYERS` and none after it, and no files import each
 * other in a circle. `npm run check` runs it, with the checks of parameter lists and of heads; tests may import
 * anything.
 */
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { findMissingHead } from './heads.ts'
import { findLongParameterLists } from './parameters.ts'

/** From the bottom up. A layer is folders, or files that serve everything above them. */
export const LAYERS: readonly (readonly string[])[] = [
  [
    'src/problem.ts',
    'src/concurrency.ts',
    'src/timeout.ts',
    'src/cache.ts',
    'src/semaphore.ts',
    'src/single-flight.ts',
    'src/text/',
  ],
  ['src/tar/'],
  ['src/inside/'],
  ['src/oci/'],
  // The ports: every layer above may use them, so they use none of those.
  ['src/configuration.ts', 'src/stored-formats.ts', 'src/job.ts', 'src/host.ts', 'src/follow-job.ts'],
  ['src/source/'],
  ['src/layer/'],
  ['src/table/'],
  ['src/index/'],
  ['src/image/'],
  ['src/diff/'],
  ['src/gate/'],
  ['src/update/'],
  ['src/storage/'],
  ['src/base/'],
  ['src/attached/'],
  ['src/advice/'],
  ['src/export/'],
  // What an upload is opened as and what an engine's image is saved as lead to each other.
  ['src/open/', 'src/uploads/'],
  ['src/jobs/'],
  ['src/service/'],
  ['src/formats/'],
  ['src/badge/'],
  ['src/pages/'],
  ['src/agents/'],
  ['src/http/'],
  ['workers/'],
  ['cli/'],
]

/** The files that each file imports, by path from the project's root. */
export type Imports = ReadonlyMap<string, readonly string[]>

/** One sentence for each import that breaks the order; empty if none does. */
export function findFaults(imports: Imports): readonly string[] {
  return [...upwardImports(imports), ...cycles(imports)]
}

function layerOf(file: string): number {
  return LAYERS.findIndex((places) =>
    places.some((place) => file === place || (place.endsWith('/') && file.startsWith(place))),
  )
}

function* upwardImports(imports: Imports): Generator<string> {
  for (const [file, imported] of imports) {
    const layer = layerOf(file)
    if (layer < 0)
      yield `${file} stands in no layer: add its folder to LAYERS in test/repository/import-order.ts`
    for (const other of imported) {
      if (layer >= 0 && layerOf(other) > layer) {
        yield `${file} imports ${other}, which stands above it: move what it needs down, or hand it in`
      }
    }
  }
}

/** Each cycle once, starting at the file where it was found. */
function* cycles(imports: Imports): Generator<string> {
  const done = new Set<string>()
  const path: string[] = []
  function* visit(file: string): Generator<string> {
    const start = path.indexOf(file)
    if (start >= 0) yield `these files import each other: ${[...path.slice(start), file].join(' → ')}`
    if (start >= 0 || done.has(file)) return
    path.push(file)
    for (const other of imports.get(file) ?? []) yield* visit(other)
    path.pop()
    done.add(file)
  }
  for (const file of imports.keys()) yield* visit(file)
}

/** The text of all product files, by path. @param root the project's folder */
async function readSources(root: string): Promise<ReadonlyMap<string, string>> {
  const sources = new Map<string, string>()
  for await (const file of glob('{src,workers,cli}/**/*.ts', { cwd: root })) {
    if (!/\.(?:test|d)\.ts$/.test(file)) sources.set(file, readFileSync(join(root, file), 'utf8'))
  }
  return sources
}

/** Including type imports. */
function importsOf(sources: ReadonlyMap<string, string>): Imports {
  const imports = new Map<string, readonly string[]>()
  for (const [file, text] of sources) {
    const ours = ts.preProcessFile(text).importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    imports.set(
      file,
      ours.map(({ fileName }) => posix.join(posix.dirname(file), fileName)),
    )
  }
  return imports
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sources = await readSources(fileURLToPath(new URL('../../', import.meta.url)))
  const faults = [
    ...findFaults(importsOf(sources)),
    ...[...sources].flatMap(([file, text]) => [
      ...findMissingHead(file, text),
      ...findLongParameterLists(file, text),
    ]),
  ]
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) process.exitCode = 1
}
