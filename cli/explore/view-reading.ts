/** While the image is read: how far it is, and each of its layers with its step. */
import { formatBytes } from '../../src/text/format.ts'
import type { AnalysisProgress } from '../ask.ts'
import { cutEnd } from './clusters.ts'
import type { Reading } from './explorer.ts'
import type { Grid } from './grid.ts'
import type { ScreenLayout } from './screen-layout.ts'

const BAR = 30
/** The total, and an empty line. */
const ABOVE = 2
/** What is left out first where not all layers fit is last. */
const STATES = ['reading', 'waiting', 'done', 'unknown'] as const
const STATE_WIDTH = 'waiting'.length

type LayerLine = {
  readonly layer: number
  readonly state: (typeof STATES)[number]
  readonly text: string
}

export function drawReading({ steps, progress }: Reading, grid: Grid, { first, rows }: ScreenLayout): void {
  const { columns } = grid.size
  if (progress === undefined) {
    grid.put({ x: 0, y: first }, 'opening the image …')
    return
  }
  const { layers, layersDone, bytes, bytesDone } = progress
  const part = partOf({ bytes, bytesDone })
  const bar = `[${'#'.repeat(Math.floor(part * BAR)).padEnd(BAR)}]`
  const figures = `${percent(part)}  ${formatBytes(bytesDone)} of ${formatBytes(bytes)}`
  grid.put({ x: 0, y: first }, cutEnd(`${bar}  ${figures}, ${layersDone} of ${layers} layers`, columns))
  for (const [i, { layer, text }] of layerLines(progress, steps, rows - ABOVE).entries()) {
    const line = `${String(layer).padStart(3)}  ${text.padEnd(STATE_WIDTH)}  ${steps[layer] ?? ''}`
    grid.put({ x: 0, y: first + ABOVE + i }, cutEnd(line, columns))
  }
}

/** From the lowest layer; at most `most` of them. */
function layerLines(
  progress: AnalysisProgress,
  steps: readonly string[],
  most: number,
): readonly LayerLine[] {
  const { layers, reading, waiting } = progress
  const read = new Map(reading?.map((one) => [one.layer, one]))
  const waits = new Set(waiting)
  const lines = Array.from({ length: Math.max(layers, steps.length) }, (_, layer): LayerLine => {
    const one = read.get(layer)
    if (one !== undefined) return { layer, state: 'reading', text: percent(partOf(one)).padStart(4) }
    if (waits.has(layer)) return { layer, state: 'waiting', text: 'waiting' }
    if (reading === undefined) return { layer, state: 'unknown', text: '' }
    return { layer, state: 'done', text: 'done' }
  })
  return lines
    .toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state))
    .slice(0, most)
    .toSorted((a, b) => a.layer - b.layer)
}

function partOf({ bytes, bytesDone }: Pick<AnalysisProgress, 'bytes' | 'bytesDone'>): number {
  return bytes === 0 ? 0 : Math.min(bytesDone / bytes, 1)
}

function percent(part: number): string {
  return `${Math.floor(100 * part)}%`
}
