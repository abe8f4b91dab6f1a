/** The layers of a report: as one bar, and what each added, hid, and still shows. */
import { html } from 'hono/html'
import type { Advice } from '../advice/advise.ts'
import type { LayerReport, Report } from '../image/report.ts'
import { isPullKnown, storedAs } from '../image/stored.ts'
import { buildStep } from '../oci/build-step.ts'
import { FIGURES } from '../text/figures.ts'
import { filesLink, parametersOf } from './image-links.ts'
import { type Html, name, size, table } from './page.ts'
import { barOf, keyOf, stackOfLayers } from './stack.ts'

const HIDING = new Set(['removed', 'replaced', 'metadata-only'])

/** Bytes of lower layers that each layer hides. */
export function hiddenBy({ items }: Advice): ReadonlyMap<number, number> {
  const hidden = new Map<number, number>()
  for (const { rule, byLayer, bytes } of items) {
    if (HIDING.has(rule) && byLayer !== undefined) hidden.set(byLayer, (hidden.get(byLayer) ?? 0) + bytes)
  }
  return hidden
}

export function layersOf({ image, layers }: Pick<Report, 'image' | 'layers'>, advice: Advice): Html {
  const parameters = parametersOf(image)
  const largest = Math.max(0, ...layers.map(({ fileBytes }) => fileBytes))
  const hidden = hiddenBy(advice)
  return html`${stackOfLayers(layers)}
${table<LayerReport>({
  caption: html`Lowest layer first. A bar is what the layer added; <svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="waste" width="10" height="10"/></svg>is the part that later layers hid.`,
  label: 'Layers, lowest first',
  none: 'The image has no layers.',
  rows: layers,
  columns: [
    {
      head: '#',
      kind: 'number',
      cell: ({ index }) =>
        html`${keyOf(index)}<a href="${filesLink(parameters, { path: '' }, { layer: index })}" aria-label="Files of layer ${index}">${index}</a>`,
    },
    {
      head: 'Step',
      kind: 'path',
      cell: ({ createdBy, digest }) =>
        createdBy
          ? html`<div class="step">${name(buildStep(createdBy))}</div>`
          : html`<span class="quiet">${name(digest.slice(0, 19))}…</span>`,
    },
    {
      head: 'Added',
      kind: 'number',
      cell: (layer) =>
        html`<div class="measured">${barOf(layer, largest)}<span>${sizeOrDash(layer.fileBytes)}</span></div>`,
    },
    { head: 'Hides', kind: 'number', cell: ({ index }) => sizeOrDash(hidden.get(index) ?? 0) },
    {
      head: 'Still shows',
      kind: 'number',
      cell: ({ fileBytes, wastedBytes }) => sizeOrDash(fileBytes - wastedBytes),
    },
    {
      head: FIGURES.uncompressed.short,
      isMinor: true,
      kind: 'number',
      cell: ({ uncompressedBytes }) =>
        uncompressedBytes === undefined ? html`<span class="quiet">unknown</span>` : size(uncompressedBytes),
    },
    {
      head: FIGURES.compressed.short,
      isMinor: true,
      kind: 'number',
      cell: (layer) =>
        isPullKnown(image, storedAs([layer]))
          ? size(layer.compressedBytes)
          : html`<span class="quiet">unknown</span>`,
    },
  ],
})}`
}

function sizeOrDash(bytes: number): Html {
  return bytes === 0 ? html`<span class="quiet">–</span>` : size(bytes)
}
