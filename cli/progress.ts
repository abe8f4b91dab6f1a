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
  /** How much of an image was sent to a service. */
  showSent(image: string, bytes: number): void
  clear(): void
}

/** Redrawn no more often than this. */
const MILLISECONDS = 100

export const NO_PROGRESS: ProgressLine = { show() {}, showSent() {}, clear() {} }

export function progressLine(stream: NodeJS.WriteStream): ProgressLine {
  let began = 0
  let shownAt = 0
  const draw = (image: string, bytes: number, figuresOf: (rate: string) => string) => {
    const now = Date.now()
    if (now - shownAt < MILLISECONDS) return
    if (shownAt === 0) began = now
    shownAt = now
    const rate = `${formatBytes(Math.round(bytes / Math.max((now - began) / 1000, 0.1)))}/s`
    const figures = figuresOf(rate)
    const room = Math.max((stream.columns || 80) - figures.length - 4, 8)
    stream.write(`\r\x1b[K${fitted(stripVTControlCharacters(image), room)}  ${figures}`)
  }
  return {
    show(image, { layers, layersDone, bytes, bytesDone }) {
      draw(
        image,
        bytesDone,
        (rate) =>
          `${formatBytes(bytesDone)} of ${formatBytes(bytes)}  ${rate}  ${layersDone} of ${layers} layers`,
      )
    },
    showSent(image, bytes) {
      draw(image, bytes, (rate) => `${formatBytes(bytes)} sent  ${rate}`)
    },
    clear() {
      if (shownAt > 0) stream.write('\r\x1b[K')
      shownAt = 0
    },
  }
}
