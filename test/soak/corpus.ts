/** The images of a corpus and the truth about them in `CORPUS_TRUTH`, computed by another program. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { TrueFile, Truth } from './images.ts'
import { diffQuestion, type Question } from './questions.ts'

const Sum = z.object({ bytes: z.number(), files: z.number() })
const Summary = z.object({
  digest: z.string(),
  totals: z.object({
    layers: z.number(),
    compressed: z.number(),
    uncompressed: z.number(),
    fileBytes: z.number(),
    entries: z.number(),
  }),
  rootfs: z.object({
    paths: z.number(),
    bytes: z.number(),
    apparentBytes: z.number(),
    types: z.record(z.string(), z.number()),
  }),
  shadowed: z.object({
    bytes: z.number(),
    files: z.number(),
    removed: Sum,
    replaced: Sum,
    sameContent: Sum,
  }),
  duplicates: z.object({ groups: z.number(), wastedBytes: z.number() }),
  dive: z.object({ wastedBytes: z.number(), inefficientPaths: z.number() }),
})
const Row = z.object({
  path: z.string(),
  pathB64: z.string().optional(),
  type: z.string(),
  layer: z.number().optional(),
  size: z.number().optional(),
  sha256: z.string().optional(),
})

const Difference = z.object({
  a: z.string(),
  b: z.string(),
  counts: z.object({ added: z.number(), removed: z.number(), contentModified: z.number() }),
})

export type CorpusImage = { readonly reference: string; readonly platform?: string; readonly truth: Truth }

/** @param folder the folder with the truth */
export async function corpusImages(folder: string): Promise<readonly CorpusImage[]> {
  const list = (await readFile(join(folder, 'images.list'), 'utf8')).trim().split('\n')
  return Promise.all(
    list.map(async (line) => {
      const [reference = '', platform] = line.split(' ')
      const name =
        reference.slice(reference.indexOf('/') + 1) + (platform === undefined ? '' : `@${platform}`)
      const truth = await truthIn(join(folder, name.replaceAll(/[/:]/g, '_')))
      return { reference, truth, ...(platform === undefined ? {} : { platform }) }
    }),
  )
}

/** The pairs of images whose differences are given there. @param folder the folder with the truth */
export async function corpusDiffs(folder: string): Promise<readonly Question[]> {
  const names = await readdir(join(folder, 'diff'))
  return Promise.all(
    names.map(async (name) => {
      const { a, b, counts } = Difference.parse(
        JSON.parse(await readFile(join(folder, 'diff', name), 'utf8')),
      )
      return diffQuestion(a, b, () => counts)
    }),
  )
}

async function truthIn(folder: string): Promise<Truth> {
  const summary = Summary.parse(JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8')))
  const { totals, rootfs, shadowed, duplicates, dive } = summary
  const files = new Map<string, TrueFile>()
  const paths = new Set<string>()
  for (const line of (await readFile(join(folder, 'rootfs.jsonl'), 'utf8')).split('\n')) {
    if (line === '') continue
    const { path, pathB64, type, layer, size, sha256 } = Row.parse(JSON.parse(line))
    const name = pathB64 === undefined ? path : `base64:${pathB64}`
    paths.add(name)
    if (type === 'file') files.set(name, { bytes: size ?? 0, sha256: sha256 ?? '', layer: layer ?? -1 })
  }
  return {
    files,
    paths,
    facts: {
      'image.digest': summary.digest,
      'size.compressedBytes': totals.compressed,
      'size.uncompressedBytes': totals.uncompressed,
      'size.fileBytes': totals.fileBytes,
      'size.rootfsBytes': rootfs.bytes,
      'size.apparentBytes': rootfs.apparentBytes,
      'counts.layers': totals.layers,
      'counts.entries': totals.entries,
      'counts.paths': rootfs.paths,
      'counts.files': rootfs.types.file ?? 0,
      'counts.directories': rootfs.types.dir ?? 0,
      'waste.bytes': shadowed.bytes,
      'waste.files': shadowed.files,
      'waste.removed': shadowed.removed,
      'waste.replaced': shadowed.replaced,
      'waste.metadataOnly': shadowed.sameContent,
      'duplicates.groups': duplicates.groups,
      'duplicates.wastedBytes': duplicates.wastedBytes,
      'efficiency.wastedBytes': dive.wastedBytes,
      'efficiency.inefficientPaths': dive.inefficientPaths,
    },
  }
}
