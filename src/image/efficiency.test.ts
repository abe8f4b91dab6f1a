import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diveFigures } from '../../test/layers/apply.ts'
import { imageLayers, tableRows } from '../../test/layers/generate.ts'
import type { Entry } from '../layer/entry.ts'
import { keyToPath } from '../path.ts'
import { type Blame, DiveEfficiency, efficiencyBlamed } from './efficiency.ts'
import { walk } from './walk.ts'

const RUNS = process.env.LAMINA_LONG === '1' ? 60_000 : 1_500

async function efficiency(layers: readonly (readonly Entry[])[]) {
  const run = async (dive: DiveEfficiency) => {
    const rows = layers.map((entries) => tableRows(entries))
    for await (const _ of walk(rows, [dive], () => false));
    return dive
  }
  const first = await run(new DiveEfficiency(layers.length))
  if (first.ends.size === 0) return first.figures()
  return (await run(new DiveEfficiency(layers.length, first.ends))).figures()
}

test("the figures are those of dive's trees", async () => {
  await fc.assert(
    fc.asyncProperty(imageLayers, async (layers) => {
      const { score, ...figures } = await efficiency(layers)
      const { score: expected, ...others } = diveFigures(layers)
      expect(figures).toEqual(others)
      expect(score).toBeCloseTo(expected, 12)
    }),
    { numRuns: RUNS },
  )
})

test('what is held against an image is what its own layers did, and nothing that is ignored', async () => {
  // The paths that are generated have few names, so that each ignores some of them.
  const ignored = fc.constantFrom('', 'a', 'b', 'c', 'd')
  await fc.assert(
    fc.asyncProperty(imageLayers, fc.nat({ max: 4 }), ignored, async (layers, base, name) => {
      const baseLayers = Math.min(base, layers.length)
      const ignores = (path: string) => name !== '' && path.split('/').includes(name)
      const blame: Blame = { ignores: (key) => ignores(keyToPath(key)), baseLayers }
      const { score, ...figures } = await efficiencyBlamed(
        () => layers.map((entries) => tableRows(entries)),
        blame,
      )
      const { score: expected, ...others } = diveFigures(layers, { ignores, baseLayers })
      expect(figures).toEqual(others)
      expect(score).toBeCloseTo(expected, 12)
    }),
    { numRuns: RUNS },
  )
})
