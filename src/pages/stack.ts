/** Layers as bars: all of them as one, and for each what it still shows and what later layers hid. */
import { html } from 'hono/html'
import type { LayerReport } from '../image/report.ts'
import { formatBytes } from '../text/format.ts'
import type { Html } from './page.ts'
import { hueOf } from './treemap/draw.ts'

/** Size of the drawing, which is stretched to the page. */
const WIDTH = 1000
const HEIGHT = 36

/** Widths are shares of the uncompressed size; the table below has the figures. */
export function stackOfLayers(layers: readonly LayerReport[]): Html | '' {
  const total = layers.reduce((sum, { uncompressedBytes = 0 }) => sum + uncompressedBytes, 0)
  if (total === 0) return ''
  let left = 0
  const parts = layers.map(({ index, uncompressedBytes = 0 }) => {
    const width = (WIDTH * uncompressedBytes) / total
    const part = html`<rect class="${colourOf(index)}" x="${left.toFixed(2)}" width="${width.toFixed(2)}" height="${HEIGHT}"><title>Layer ${index}: ${formatBytes(uncompressedBytes)}</title></rect>`
    left += width
    return part
  })
  return html`<svg class="stack" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">${parts}</svg>`
}

/** A layer's bar: its bytes in files, the hidden ones last. */
export function barOf({ index, fileBytes, wastedBytes }: LayerReport, largest: number): Html {
  const part = (bytes: number) => (largest > 0 ? (100 * bytes) / largest : 0)
  const shown = part(fileBytes - wastedBytes)
  return html`<svg class="bar layer" aria-hidden="true"><rect class="${colourOf(index)}" width="${shown.toFixed(2)}%" height="100%"/><rect class="waste" x="${shown.toFixed(2)}%" width="${part(wastedBytes).toFixed(2)}%" height="100%"/></svg>`
}

/** The layer's colour in the bar. */
export function keyOf(index: number): Html {
  return html`<svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="${colourOf(index)}" width="10" height="10"/></svg>`
}

function colourOf(index: number): string {
  return hueOf('layer', index)
}
