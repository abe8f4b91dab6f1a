/** While the image is read: its layers with their steps, and how far it is. */
import { formatBytes } from '../../src/text/format.ts'
import { cutEnd } from './clusters.ts'
import type { Reading } from './explorer.ts'
import type { Grid } from './grid.ts'
import type { Place } from './place.ts'

const BAR = 30

export function drawReading({ steps, progress }: Reading, grid: Grid, { first, rows }: Place): void {
  const { columns } = grid.size
  if (progress === undefined) {
    grid.put({ x: 0, y: first }, 'opening the image …')
    return
  }
  const { layers, layersDone, bytes, bytesDone } = progress
  const part = bytes === 0 ? 0 : Math.min(bytesDone / bytes, 1)
  const bar = `[${'#'.repeat(Math.floor(part * BAR)).padEnd(BAR)}]`
  const figures = `${Math.floor(100 * part)}%  ${formatBytes(bytesDone)} of ${formatBytes(bytes)}`
  grid.put({ x: 0, y: first }, cutEnd(`${bar}  ${figures}, ${layersDone} of ${layers} layers`, columns))
  for (const [i, step] of steps.slice(0, rows - 2).entries())
    grid.put({ x: 0, y: first + 2 + i }, cutEnd(`${String(i).padStart(3)}  ${step}`, columns))
}
