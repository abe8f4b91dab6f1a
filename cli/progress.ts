/** A line on stderr that shows the progress of an analysis. */
import { stripVTControlCharacters } from 'node:util'
import { fitted } from '../src/formats/table.ts'
import { formatBytes, formatCount } from '../src/text/format.ts'

export type Progress = {
  readonly layers: number
  readonly layersDone: number
  readonly bytes: number
  readonly bytesDone: number
}

export type Sent = {
  readonly bytes: number
  /** Unknown for images from an engine or a pipe. */
  readonly of?: number | undefined
}

export interface ProgressLine {
  show(image: string, progress: Progress): void
  /** How much of an image was uploaded to a service. */
  showSent(image: string, sent: Sent): void
  /** How many of many things were read. @param what their plural */
  showRead(what: string, read: { readonly done: number; readonly all: number }): void
  clear(): void
}

/** Redrawn no more often than this. */
const MILLISECONDS = 100
const LEAST_NAME = 12
const LEAST_BAR = 8
const MOST_BAR = 40

export const NO_PROGRESS: ProgressLine = { show() {}, showSent() {}, showRead() {}, clear() {} }

export function progressLine(stream: Pick<NodeJS.WriteStream, 'columns' | 'write'>): ProgressLine {
  let began = 0
  let shownAt = 0
  const draw = (image: string, { bytes, of = 0 }: Sent, end: string) => {
    const now = Date.now()
    if (now - shownAt < MILLISECONDS) return
    if (shownAt === 0) began = now
    shownAt = now
    const rate = `${formatBytes(Math.round(bytes / Math.max((now - began) / 1000, 0.1)))}/s`
    const done = of > 0 ? `${formatBytes(bytes)}/${formatBytes(of)}` : formatBytes(bytes)
    const figures = `  ${done}  ${rate}${end}`
    // The last column stays free: some terminals wrap as soon as it is written.
    const room = (stream.columns || 80) - 1 - figures.length
    const name = shortName(stripVTControlCharacters(image))
    const forBar = Math.min(room - LEAST_NAME - '  []'.length, MOST_BAR)
    const bar = of > 0 && forBar >= LEAST_BAR ? `  [${drawBar(bytes / of, forBar)}]` : ''
    stream.write(`\r\x1b[K${fitted(name, Math.max(room - bar.length, LEAST_BAR))}${bar}${figures}`)
  }
  return {
    show(image, { layers, layersDone, bytes, bytesDone }) {
      draw(image, { bytes: bytesDone, of: bytes }, `  ${layersDone}/${layers} layers`)
    },
    showSent(image, sent) {
      draw(image, sent, ' sent')
    },
    showRead(what, { done, all }) {
      shownAt = Date.now()
      stream.write(`\r\x1b[K${formatCount(done)}/${formatCount(all)} ${what}`)
    },
    clear() {
      if (shownAt > 0) stream.write('\r\x1b[K')
      shownAt = 0
    },
  }
}

/** Without the registry and the folders, which the user knows. */
function shortName(image: string): string {
  return image.slice(image.lastIndexOf('/') + 1)
}

/** As docker draws it: `=====>     `. */
function drawBar(part: number, columns: number): string {
  const done = Math.min(Math.max(Math.floor(part * columns), 0), columns)
  return `${'='.repeat(Math.max(done - 1, 0))}${done > 0 ? '>' : ''}`.padEnd(columns)
}
