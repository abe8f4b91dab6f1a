/**
 * How the files of a series of images would have done in a few layers, arranged by how often they change. The best split for
 * these very images, in hindsight: dynamic programming over groups of files in the order of their changes.
 */
import { compareText } from '../text/bytes.ts'
import { type PathKey, showPath } from '../text/path.ts'
import type { GroupHistories, History } from './group-histories.ts'
import type { GroupName, Groups } from './groups.ts'
import { median } from './median.ts'

export type PlannedGroup = (
  | { readonly type: string; readonly package: string }
  | { readonly path: string; readonly pathBase64?: string }
) & {
  /** In the last image. */
  readonly bytes: number
  /** In how many steps anything in it changed. */
  readonly changes: number
}

export type PlannedLayer = {
  /** From 0; what changes least comes first. */
  readonly order: number
  readonly bytes: number
  readonly changes: number
  /** Largest first. */
  readonly groups: readonly PlannedGroup[]
}

/** Bytes of regular files that a step pulls: as built, if unchanged layers stayed the same, and as planned. */
export type PlanFigures = {
  readonly now: number
  readonly reproducible: number
  readonly planned: number
}

export type Plan = {
  readonly layers: readonly PlannedLayer[]
  readonly base?: { readonly layers: number; readonly bytes: number }
  readonly median: PlanFigures
  readonly mean: PlanFigures
}

/** A series of images, oldest first; for each step from one to the next, the bytes of the layers that it pulls. */
export type Series = {
  /** Of at least two images. */
  readonly groups: GroupHistories
  readonly now: readonly number[]
  /** Of these, those of layers that differ from every layer before in more than times and order. */
  readonly reproducible: readonly number[]
  /** Those of the base image's layers. */
  readonly base: readonly number[]
}

/** Groups that changed in the same steps. */
type Unit = {
  /** Ascending. */
  readonly steps: readonly number[]
  readonly groups: readonly string[]
}

/** A longer list of units is shortened by joining neighbours: the time grows with its square. */
const MAX_UNITS = 400

/**
 * @param most how many layers there may be
 */
export function planLayers(series: Series, most: number): Omit<Plan, 'base'> {
  const { last, histories } = series.groups
  const gone = joinHistories(
    [...histories].filter(([id]) => !last.has(id)).map(([, history]) => history),
    series.now.length,
  )
  const units = unitsOf([...last.keys()], histories)
  const unitHistories = units.map(({ steps, groups }) => ({
    steps,
    after: joinHistories(
      groups.map((id) => histories.get(id) ?? gone),
      series.now.length,
    ).after,
  }))
  const ends = cut(unitHistories, gone, most)
  const planned = [...series.base]
  const layers = ends.map((end, order): PlannedLayer => {
    const start = ends[order - 1] ?? 0
    const isLast = end === units.length
    const parts = unitHistories.slice(start, end)
    const { steps, after } = joinHistories(isLast ? [...parts, gone] : parts, series.now.length)
    for (const step of steps) planned[step] = (planned[step] ?? 0) + (after[step] ?? 0)
    const groups = units
      .slice(start, end)
      .flatMap((unit) => unit.groups.map((id) => describe(id, last, histories)))
    return {
      order,
      bytes: groups.reduce((all, { bytes }) => all + bytes, 0),
      changes: steps.length,
      groups: groups.sort(byBytes),
    }
  })
  const figures = (of: (values: readonly number[]) => number): PlanFigures => ({
    now: of(series.now),
    reproducible: of(series.reproducible),
    planned: of(planned),
  })
  return { layers, median: figures(median), mean: figures(mean) }
}

function mean(values: readonly number[]): number {
  return Math.floor(values.reduce((all, value) => all + value, 0) / values.length)
}

function joinHistories(histories: readonly History[], count: number): History {
  const steps = new Set<number>()
  const after = Array.from({ length: count }, () => 0)
  for (const history of histories) {
    for (const step of history.steps) steps.add(step)
    for (const [step, bytes] of history.after.entries()) after[step] = (after[step] ?? 0) + bytes
  }
  return { steps: [...steps].sort((a, b) => a - b), after }
}

/** By the number of steps, then by the steps themselves, earliest first; at most {@link MAX_UNITS}. */
function unitsOf(ids: readonly string[], histories: ReadonlyMap<string, History>): readonly Unit[] {
  const bySteps = Map.groupBy(ids, (id) => (histories.get(id)?.steps ?? []).join())
  let units = [...bySteps.values()].map(
    (groups): Unit => ({ steps: histories.get(groups[0] ?? '')?.steps ?? [], groups }),
  )
  units.sort((a, b) => a.steps.length - b.steps.length || compareSteps(a.steps, b.steps))
  while (units.length > MAX_UNITS) {
    units = Array.from({ length: Math.ceil(units.length / 2) }, (_, pair) =>
      join(units.slice(2 * pair, 2 * pair + 2)),
    )
  }
  return units
}

function join(units: readonly Unit[]): Unit {
  const steps = new Set(units.flatMap((unit) => unit.steps))
  return { steps: [...steps].sort((a, b) => a - b), groups: units.flatMap((unit) => unit.groups) }
}

function compareSteps(a: readonly number[], b: readonly number[]): number {
  for (const [i, step] of a.entries()) {
    const difference = step - (b[i] ?? step)
    if (difference !== 0) return difference
  }
  return 0
}

/**
 * Where each layer ends: runs of units with the least sum of bytes over all steps; among equals the fewest layers, then the
 * earliest cuts.
 *
 * @param gone what the last image no longer has; it is in the last layer
 * @returns indexes of units, exclusive, ascending; the last is their number. Empty without units.
 */
function cut(units: readonly History[], gone: History, most: number): number[] {
  const count = units.length
  if (count === 0) return []
  const costs = runCosts(units, gone)
  // best[layers][start]: the least cost of the units from `start` on, and where the first layer ends.
  let best: { readonly cost: number; readonly end: number }[] = costs.map((row) => ({
    cost: row[count] ?? 0,
    end: count,
  }))
  const tables = [best]
  for (let layers = 2; layers <= Math.min(most, count); layers++) {
    const rest = best
    best = []
    for (let start = 0; start + layers <= count; start++) {
      let least = { cost: Number.POSITIVE_INFINITY, end: count }
      for (let end = start + 1; end <= count - layers + 1; end++) {
        const cost = (costs[start]?.[end] ?? 0) + (rest[end]?.cost ?? 0)
        if (cost < least.cost) least = { cost, end }
      }
      best.push(least)
    }
    tables.push(best)
  }
  let fewest = 0
  for (const [layers, table] of tables.entries()) {
    if ((table[0]?.cost ?? 0) < (tables[fewest]?.[0]?.cost ?? 0)) fewest = layers
  }
  const ends: number[] = []
  for (let layers = fewest; layers >= 0; layers--) {
    const end = tables[layers]?.[ends.at(-1) ?? 0]?.end ?? count
    ends.push(end)
  }
  return ends
}

/** `[start][end]`: what a layer of the units from `start` to `end`, exclusive, costs over all steps. */
function runCosts(units: readonly History[], gone: History): number[][] {
  const count = units.length
  return units.map((_, start) => {
    const row: number[] = []
    const changed = new Set<number>()
    const after: number[] = gone.after.map(() => 0)
    for (const [offset, unit] of units.slice(start).entries()) {
      const end = start + offset + 1
      for (const step of unit.steps) changed.add(step)
      for (const [step, bytes] of unit.after.entries()) after[step] = (after[step] ?? 0) + bytes
      let cost = 0
      const isLast = end === count
      const steps = isLast ? new Set([...changed, ...gone.steps]) : changed
      for (const step of steps) cost += (after[step] ?? 0) + (isLast ? (gone.after[step] ?? 0) : 0)
      row[end] = cost
    }
    return row
  })
}

function describe(id: string, last: Groups, histories: ReadonlyMap<string, History>): PlannedGroup {
  const group = last.get(id)
  const changes = histories.get(id)?.steps.length ?? 0
  const name: GroupName = group?.name ?? { kind: 'path', key: id as PathKey }
  const bytes = group?.bytes ?? 0
  if (name.kind === 'package') return { type: name.type, package: name.name, bytes, changes }
  return { ...showPath(name.key), bytes, changes }
}

function byBytes(a: PlannedGroup, b: PlannedGroup): number {
  return b.bytes - a.bytes || compareText(labelOf(a), labelOf(b))
}

function labelOf(group: PlannedGroup): string {
  return 'package' in group ? `${group.package}\0${group.type}` : group.path
}
