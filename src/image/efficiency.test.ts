import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diveFigures } from '../../test/layers/apply.ts'
import { imageLayers, tableRows } from '../../test/layers/generate.ts'
import { tries } from '../../test/layers/tries.ts'
import { type Entry, whiteoutOf } from '../layer/entry.ts'
import type { MemberType } from '../tar/member.ts'
import { keyToPath, pathToKey } from '../text/path.ts'
import { type Blame, efficiencyBlamed } from './efficiency.ts'

const RUNS = tries(500, 60_000)

const efficiency = (layers: readonly (readonly Entry[])[]) =>
  efficiencyBlamed(() => layers.map((entries) => tableRows(entries)), {
    ignores: () => false,
    baseLayers: 0,
  })

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

test("only what an image's own layers did counts against it, without ignored paths", async () => {
  // The generated paths have few names, so each glob ignores some of them.
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

test('ignored paths do not count in the sum of a removed directory either', async () => {
  const layers = [
    [member('a', 'directory', 0), member('a/b', 'file', 10, 1), member('a/c', 'file', 20, 2)],
    [member('a', 'directory', 0), member('a/b', 'file', 30, 1)],
    [member('a', 'directory', 0), member('a/d', 'file', 40, 1)],
    [member('.wh.a', 'file', 0)],
  ]
  const blame: Blame = { ignores: (key) => keyToPath(key) === 'a/b', baseLayers: 0 }
  const figures = await efficiencyBlamed(() => layers.map((entries) => tableRows(entries)), blame)
  // a/c, a/d, and both again for what the whiteout removes.
  expect(figures).toEqual({ score: 1, wastedBytes: 0, wastedUserRatio: 0, inefficientPaths: 0 })
  const again = [...layers, [member('z', 'file', 5)], [member('z', 'file', 6)]]
  const { score } = await efficiencyBlamed(() => again.map((entries) => tableRows(entries)), blame)
  expect(score).toBe((20 + 40 + 60 + 5) / (20 + 40 + 60 + 11))
})

function member(path: string, type: MemberType, bytes: number, ordinal = 0): Entry {
  const key = pathToKey(path)
  const whiteout = whiteoutOf(key)
  const entry = { key, type, bytes, mode: 0, uid: 0, gid: 0, mtime: 0, ordinal, offset: 0 }
  return whiteout === undefined ? entry : { ...entry, whiteout }
}
