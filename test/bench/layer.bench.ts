/** One layer: decoded, hashed, scanned, sorted and written to R2, in workerd; against `gzip -dc | sha256sum` on the same tar. */
import { describeLayer, indexInWorkerd, type Layer, withFolder, writeFiles } from './layers.ts'
import { best, line, seconds, shell } from './measure.ts'

const RUNS = 5
/** Warm-up runs of a fresh workerd before the one that counts: it compiles hot code. */
const WARM_RUNS = 2
/** Real files of every kind: some 450 MB and 25,000 entries on a Debian machine. */
const REAL = '/usr/share'

export default async function layer(): Promise<void> {
  await withFolder(async (at) => {
    const [real, zstd, small] = [at('real'), at('zstd'), at('small')]
    await shell(`tar -C / -cf - .${REAL} | gzip -6 > ${real} && gzip -dc ${real} | zstd -q -3 > ${zstd}`)
    await writeFiles(small, 100_000, 100)
    await compare(`${REAL}, gzip`, await describeLayer(real), real)
    await compare('the same as zstd', await describeLayer(zstd), real)
    await compare('100,000 files of 100 bytes', await describeLayer(small), small)
  })
}

/** @param gzip of the same tar */
async function compare(what: string, blob: Layer, gzip: string): Promise<void> {
  const reference: number[] = []
  const ours: number[] = []
  for (let run = 0; run < RUNS; run++) {
    reference.push(await seconds(() => shell(`gzip -dc ${gzip} | sha256sum`)))
    ours.push((await indexInWorkerd(blob, WARM_RUNS + 1)).seconds)
  }
  line(what, { seconds: best(ours), reference: best(reference), speed: best(reference) / best(ours) })
}
