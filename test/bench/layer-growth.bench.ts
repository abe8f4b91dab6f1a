/** The cost per entry as layers grow, and workerd's peak memory for large layers and for a tenth of each. */
import { rm } from 'node:fs/promises'
import { describeLayer, indexInWorkerd, withFolder, writeFiles } from './layers.ts'
import { best, line } from './measure.ts'

const RUNS = 3
const MEBIBYTE = 1024 * 1024

export default async function layerGrowth(): Promise<void> {
  await withFolder(async (at) => {
    await growth(at)
    await memory(at)
  })
}

async function growth(at: (name: string) => string): Promise<void> {
  const cost: number[] = []
  for (const entries of [10_000, 100_000, 1_000_000]) {
    await writeFiles(at(`${entries}`), entries, 0)
    const blob = await describeLayer(at(`${entries}`))
    const times: number[] = []
    for (let run = 0; run < RUNS; run++) times.push((await indexInWorkerd(blob, 2)).seconds)
    cost.push((best(times) / entries) * 1e6)
    line(`${entries} empty files`, {
      'µs an entry': cost.at(-1) ?? 0,
      ratio: (cost.at(-1) ?? 0) / (cost[0] ?? 1),
    })
  }
}

async function memory(at: (name: string) => string): Promise<void> {
  for (const [what, entries, bytes] of [
    ['4 GB', 4_000, MEBIBYTE],
    ['a tenth of it', 400, MEBIBYTE],
    ['2,000,000 entries', 2_000_000, 0],
    ['a tenth of it', 200_000, 0],
  ] as const) {
    await writeFiles(at('large'), entries, bytes)
    const { megabytes } = await indexInWorkerd(await describeLayer(at('large')), 1)
    line(`workerd, peak resident: ${what}`, { MB: megabytes })
    await rm(at('large'))
  }
}
