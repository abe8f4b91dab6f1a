import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GroupHistories } from './group-histories.ts'
import type { Group, Groups } from './groups.ts'
import { median } from './median.ts'
import { planLayers, type Series } from './plan.ts'

/** Groups by name: how many bytes each has, and a text for what is in it. */
function groups(of: Readonly<Record<string, readonly [bytes: number, content: string]>>): Groups {
  return new Map(
    Object.entries(of).map(([key, [bytes, digest]]): [string, Group] => [
      key,
      { name: { kind: 'path', key }, bytes, digest },
    ]),
  )
}

function series(images: readonly Groups[], base?: readonly number[]): Series {
  const none = images.slice(1).map(() => 0)
  const histories = new GroupHistories(100)
  for (const image of images) histories.add(image)
  return { groups: histories, now: none, reproducible: none, base: base ?? none }
}

test('what never changes is pulled never, what changes each time each time', () => {
  const images = ['1', '2', '3'].map((content) => groups({ lib: [1000, 'same'], app: [10, content] }))
  expect(planLayers(series(images), 5)).toEqual({
    layers: [
      { order: 0, bytes: 1000, changes: 0, groups: [{ path: 'lib', bytes: 1000, changes: 0 }] },
      { order: 1, bytes: 10, changes: 2, groups: [{ path: 'app', bytes: 10, changes: 2 }] },
    ],
    median: { now: 0, reproducible: 0, planned: 10 },
    mean: { now: 0, reproducible: 0, planned: 10 },
  })
})

test('what the last image no longer has is in the last layer, unlisted', () => {
  const before = groups({ lib: [1000, 'same'], app: [10, '1'], gone: [5, 'x'] })
  const after = groups({ lib: [1000, 'same'], app: [10, '2'] })
  const plan = planLayers(series([groups({ ...{ lib: [1000, 'same'], app: [10, '1'] } }), before, after]), 5)
  expect(plan.mean.planned).toBe(Math.floor((15 + 10) / 2))
  expect(plan.layers.at(-1)).toMatchObject({ bytes: 10, changes: 2, groups: [{ path: 'app' }] })
})

test('the bytes of the base count in each step', () => {
  const images = ['1', '2'].map((content) => groups({ app: [10, content] }))
  expect(planLayers(series(images, [7]), 2).mean.planned).toBe(17)
})

const history = fc
  .tuple(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 1, max: 6 }))
  .chain(([images, names]) =>
    fc.array(
      fc.array(fc.option(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.constantFrom('a', 'b'))), {
        minLength: names,
        maxLength: names,
      }),
      { minLength: images, maxLength: images },
    ),
  )

test('no other arrangement of the groups in the order of their changes pulls less', () => {
  fc.assert(
    fc.property(history, fc.integer({ min: 1, max: 5 }), (table, most) => {
      const images = table.map((row) =>
        groups(Object.fromEntries(row.flatMap((cell, i) => (cell ? [[`g${i}`, cell]] : [])))),
      )
      const plan = planLayers(series(images), most)
      const steps = images.length - 1
      const units = plan.layers.flatMap((layer) =>
        layer.groups.map((group) => ('path' in group ? group.path : '')),
      )
      expect([...units].sort()).toEqual([...(images.at(-1)?.keys() ?? [])].sort())
      const costOf = (layers: readonly (readonly string[])[]): number => {
        const all = new Set(images.flatMap((image) => [...image.keys()]))
        const gone = [...all].filter((name) => !images.at(-1)?.has(name))
        let cost = 0
        for (const [index, layer] of layers.entries()) {
          const names = index === layers.length - 1 ? [...layer, ...gone] : layer
          for (let step = 0; step < steps; step++) {
            const [before, after] = [images[step], images[step + 1]]
            const changed = names.some((name) => before?.get(name)?.digest !== after?.get(name)?.digest)
            if (changed) cost += names.reduce((sum, name) => sum + (after?.get(name)?.bytes ?? 0), 0)
          }
        }
        return cost
      }
      const planned = costOf(
        plan.layers.map((layer) => layer.groups.map((group) => ('path' in group ? group.path : ''))),
      )
      expect(plan.mean.planned).toBe(units.length === 0 ? 0 : Math.floor(planned / steps))
      for (const layers of runsOf(inOrderOfChanges(images), most))
        expect(costOf(layers)).toBeGreaterThanOrEqual(planned)
    }),
  )
})

/** Groups of the last image that changed in the same steps, in the plan's order. */
function inOrderOfChanges(images: readonly Groups[]): string[][] {
  const steps = (name: string) =>
    images
      .slice(1)
      .flatMap((image, step) => (images[step]?.get(name)?.digest === image.get(name)?.digest ? [] : [step]))
  const bySteps = Map.groupBy([...(images.at(-1)?.keys() ?? [])], (name) => steps(name).join())
  const units = [...bySteps.values()]
  return units.sort((a, b) => {
    const [x, y] = [steps(a[0] ?? ''), steps(b[0] ?? '')]
    return x.length - y.length || (x.join() < y.join() ? -1 : 1)
  })
}

/** All ways to cut a list into at most so many runs. */
function runsOf(units: readonly (readonly string[])[], most: number): string[][][] {
  if (units.length === 0) return [[]]
  if (most === 1) return [[units.flat()]]
  return units.flatMap((_, i) => {
    const head = units.slice(0, i + 1).flat()
    const rest = units.slice(i + 1)
    return rest.length === 0 ? [[head]] : runsOf(rest, most - 1).map((runs) => [head, ...runs])
  })
}

test.each([
  [[5], 5],
  [[1, 4], 2],
  [[9, 1, 3], 3],
  [[4, 1, 2, 3], 2],
])('the median of %j is %i', (values, middle) => {
  expect(median(values)).toBe(middle)
})
