/** A line on stderr that says how far an analysis is. */
import { stripVTControlCharacters } from 'node:util'
import { fitted } from '../src/formats/table.ts'
import { formatBytes } from '../src/text/format.ts'

export type Progress = {
  readonly layers: number
  readonly layersDone: number
  readonly bytes: number
  readonly bytesDone: number
}

export interface ProgressLine {
  show(image: string, progress: Progress): void
  clear(): void
}

/** Redrawn no more often than this. */
const MILLISECONDS = 100

export const NO_PROGRESS: ProgressLine = { show() {}, clear() {} }

export function progressLine(stream: NodeJS.WriteStream): ProgressLine {
  const began = Date.now()
  let shownAt = 0
  return {
    show(image, { layers, layersDone, bytes, bytesDone }) {
      const now = Date.now()
      if (now - shownAt < MILLISECONDS) return
      shownAt = now
      const rate = bytesDone / Math.max((now - began) / 1000, 0.1)
      const figures = `${formatBytes(bytesDone)} of ${formatBytes(bytes)}  ${formatBytes(Math.round(rate))}/s  ${layersDone} of ${layers} layers`
      const room = Math.max((stream.columns || 80) - figures.length - 4, 8)
      stream.write(`\r\x1b[K${fitted(stripVTControlCharacters(image), room)}  ${figures}`)
    },
    clear() {
      if (shownAt > 0) stream.write('\r\x1b[K')
      shownAt = 0
    },
  }
}
