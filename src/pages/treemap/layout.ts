/**
 * An image as a treemap, in a page or as a picture. This file arranges areas as nested rectangles. Areas too small to be seen
 * share one rectangle.
 */
import { type HierarchyRectangularNode, hierarchy, treemap } from 'd3-hierarchy'
import type { Area } from '../../image/areas.ts'

export type Cell = {
  /** Absent if it stands for everything that is too small. */
  readonly area?: Area
  readonly bytes: number
  readonly depth: number
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** Whether its children are drawn inside it. */
  readonly isOpen: boolean
}

export type Frame = {
  readonly width: number
  readonly height: number
  /** How many areas at most; 1,200 by default. */
  readonly cells?: number
}

/** Rectangles with a shorter side cannot be seen. */
const VISIBLE_PIXELS = 2
/** More rectangles are slow to draw, and too small to tell apart. */
const MAX_CELLS = 1200
/** Room for a directory's name. */
const HEAD_PIXELS = 18
/** Directories that are lower than this are drawn closed. */
const OPEN_PIXELS = 40

/** The smallest share of the whole that is worth requesting. */
export function smallestShare({ width, height }: Frame): number {
  return (8 * VISIBLE_PIXELS ** 2) / (width * height)
}

type LayoutNode = { readonly area?: Area; readonly bytes: number; readonly children?: readonly LayoutNode[] }
type Placed = HierarchyRectangularNode<LayoutNode>

/** In drawing order: a directory before its content. */
export function placeAreas(top: Area, frame: Frame): readonly Cell[] {
  const hidden = new Set<Area>()
  hideSmallest(top, hidden, frame.cells ?? MAX_CELLS)
  let placed = parameters(top, hidden, frame)
  // Merging frees room, so the proportions of the rest change.
  for (let round = 0; round < 3; round++) {
    const tooSmall = placed.descendants().filter(isTooSmall)
    if (tooSmall.length === 0) break
    for (const { data } of tooSmall) if (data.area) hidden.add(data.area)
    placed = parameters(top, hidden, frame)
  }
  return placed
    .descendants()
    .filter((node) => !isTooSmall(node))
    .map(cellOf)
}

/** Keeps the largest visible. */
function hideSmallest(top: Area, hidden: Set<Area>, most: number): void {
  const all: Area[] = []
  const gather = ({ children = [] }: Area) => {
    for (const child of children) {
      all.push(child)
      gather(child)
    }
  }
  gather(top)
  for (const area of all.sort((a, b) => b.bytes - a.bytes).slice(most)) hidden.add(area)
}

function parameters(top: Area, hidden: ReadonlySet<Area>, { width, height }: Frame): Placed {
  const root = hierarchy<LayoutNode>(nodeOf(top, hidden), ({ children }) => children).sum(
    ({ bytes, children }) => (children === undefined ? bytes : 0),
  )
  return treemap<LayoutNode>()
    .size([width, height])
    .round(true)
    .paddingInner(1)
    .paddingTop((node) => (node.y1 - node.y0 >= OPEN_PIXELS ? HEAD_PIXELS : 1))
    .paddingRight(1)
    .paddingBottom(1)
    .paddingLeft(1)(root)
}

function nodeOf(area: Area, hidden: ReadonlySet<Area>): LayoutNode {
  const shown = area.children?.filter((child) => !hidden.has(child)) ?? []
  if (shown.length === 0) return { area, bytes: area.bytes }
  const rest = area.bytes - shown.reduce((sum, { bytes }) => sum + bytes, 0)
  const children = shown.map((child) => nodeOf(child, hidden))
  return { area, bytes: area.bytes, children: rest > 0 ? [...children, { bytes: rest }] : children }
}

function isTooSmall({ x0, x1, y0, y1 }: Placed): boolean {
  return x1 - x0 < VISIBLE_PIXELS || y1 - y0 < VISIBLE_PIXELS
}

function cellOf({ data, depth, x0, x1, y0, y1, children }: Placed): Cell {
  return {
    ...(data.area && { area: data.area }),
    bytes: data.bytes,
    depth,
    x: x0,
    y: y0,
    width: x1 - x0,
    height: y1 - y0,
    isOpen: children !== undefined,
  }
}
