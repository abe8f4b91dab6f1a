/** Where things are on the screen. */
import type { Size } from './grid.ts'

/** Below that it waits. */
export const LEAST_SIZE: Size = { columns: 60, rows: 16 }

export type ScreenLayout = {
  /** The line of a list's titles; -1 without titles. */
  readonly titles: number
  /** The first line of rows, and how many there are. */
  readonly first: number
  readonly rows: number
  /** Where one types, and where messages are. */
  readonly line: number
  readonly status: number
  readonly keys: number
}

/** The reference and the views are above the rows; a line to type in, the status and the keys below. */
const ABOVE = 2
const BELOW = 3

export function layoutOf({ rows }: Size, hasTitles: boolean): ScreenLayout {
  const first = ABOVE + (hasTitles ? 1 : 0)
  return {
    titles: hasTitles ? ABOVE : -1,
    first,
    rows: Math.max(rows - first - BELOW, 1),
    line: rows - 3,
    status: rows - 2,
    keys: rows - 1,
  }
}
