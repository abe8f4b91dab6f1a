/**
 * Merges a large image and reports the cost: a test runs it as a separate process with a limited heap.
 *
 *     node --max-old-space-size=48 test/layers/large-image.ts MEMBERS LAYERS
 */
import { hash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ImageLayer } from '../../src/image/facts.ts'
import { writeImage } from '../../src/image/write.ts'
import type { Entry } from '../../src/layer/entry.ts'
import { FolderStore } from '../../workers/node/store/folder-store.ts'
import { imageSource, storeLayer } from './store.ts'

const FILES_OF_A_DIRECTORY = 50

/**
 * One layer's table: most members are its own, a fifth replaces the same paths of every other layer; of a hundred files ten
 * are the same everywhere, one is a hard link to another of the layer, and one is hidden by the layer above.
 */
async function* layerRows(layer: number, members: number): AsyncGenerator<readonly Entry[]> {
  const common = { mode: 0o644, uid: 0, gid: 0, mtime: 1.7e15 + layer * 1e6 }
  let ordinal = 0
  const entry = (key: string, rest: Partial<Entry>): Entry => {
    const shown = {
      key,
      type: 'file',
      bytes: 0,
      ...common,
      ordinal,
      offset: 1024 * ordinal,
      ...rest,
    } as const
    ordinal++
    return shown
  }
  const content = (name: string) => hash('sha256', name, 'binary')
  for (const [area, count] of [
    [`opt\0layer-${String(layer).padStart(3, '0')}`, members * 0.8],
    ['usr\0share', members * 0.2],
  ] as const) {
    for (let file = 0; file < count; ) {
      const directory = `${area}\0directory-${String(file / FILES_OF_A_DIRECTORY).padStart(6, '0')}`
      const batch = [entry(directory, { type: 'directory' })]
      for (const end = file + FILES_OF_A_DIRECTORY; file < end; file++) {
        const key = `${directory}\0file-${String(file).padStart(7, '0')}.txt`
        const sha256 = content(file % 10 === 0 ? `${file % 1000}` : `${key}/${layer}`)
        if (file % 100 === 99)
          batch.push(entry(key, { type: 'hardlink', link: batch[1]?.key.replaceAll('\0', '/') }))
        else batch.push(entry(key, { bytes: 1 + (file % 5000), sha256 }))
      }
      yield batch
    }
  }
}

async function main(members: number, layerCount: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lamina-large-'))
  try {
    const store = new FolderStore(folder)
    const layers: ImageLayer[] = []
    for (let layer = 0; layer < layerCount; layer++) {
      layers.push(await storeLayer(store, `large ${layer}`, layerRows(layer, members / layerCount)))
    }
    let arrayBuffers = 0
    const sample = () => {
      arrayBuffers = Math.max(arrayBuffers, process.memoryUsage().arrayBuffers)
    }
    const timer = setInterval(sample, 20)
    const start = performance.now()
    const { counts } = await writeImage(store, imageSource('large', layers))
    const milliseconds = Math.round(performance.now() - start)
    clearInterval(timer)
    sample()
    process.stdout.write(`${JSON.stringify({ entries: counts.entries, milliseconds, arrayBuffers })}\n`)
  } finally {
    await rm(folder, { recursive: true })
  }
}

await main(Number(process.argv[2]), Number(process.argv[3]))
