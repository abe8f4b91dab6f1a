/** The layers of a report: as one bar, and what each added, hid, and still shows. */
import { html } from 'hono/html'
import type { Advice } from '../advice/advise.ts'
import type { LayerReport } from '../image/report.ts'
import { buildStep } from '../oci/build-step.ts'
import { FIGURES } from '../text/figures.ts'
import { type Html, measured, name, size, table } from './page.ts'
import { filesLink, type Place } from './place.ts'
import { keyOf, stackOfLayers } from './stack.ts'

const HIDING = new Set(['removed', 'replaced', 'metadata-only'])

/** Of each layer the bytes of lower layers that it hides. */
export function hiddenBy({ items }: Advice): ReadonlyMap<number, number> {
  const hidden = new Map<number, number>()
  for (const { rule, byLayer, bytes } of items) {
    if (HIDING.has(rule) && byLayer !== undefined) hidden.set(byLayer, (hidden.get(byLayer) ?? 0) + bytes)
  }
  return hidden
}

export function layersOf(layers: readonly LayerReport[], advice: Advice, place: Place): Html {
  const largest = Math.max(0, ...layers.map(({ uncompressedBytes = 0 }) => uncompressedBytes))
  const hidden = hiddenBy(advice)
  return html`${stackOfLayers(layers)}
${table<LayerReport>({
  caption: 'Layers, the lowest first',
  none: 'The image has no layers.',
  rows: layers,
  columns: [
    {
      head: '#',
      kind: 'number',
      cell: ({ index }) =>
        html`${keyOf(index)}<a href="${filesLink(place, { path: '' }, index)}" aria-label="Files of layer ${index}">${index}</a>`,
    },
    {
      head: 'Step',
      kind: 'path',
      cell: ({ createdBy, digest }) =>
        createdBy
          ? name(buildStep(createdBy))
          : html`<span class="quiet">${name(digest.slice(0, 19))}…</span>`,
    },
    {
      head: FIGURES.uncompressed.short,
      kind: 'number',
      cell: ({ uncompressedBytes = 0 }) =>
        measured(sizeOrDash(uncompressedBytes), uncompressedBytes, largest),
    },
    { head: FIGURES.compressed.short, kind: 'number', cell: ({ compressedBytes }) => size(compressedBytes) },
    { head: 'Files added', kind: 'number', cell: ({ fileBytes }) => sizeOrDash(fileBytes) },
    { head: 'Hides below', kind: 'number', cell: ({ index }) => sizeOrDash(hidden.get(index) ?? 0) },
    {
      head: 'Still shows',
      kind: 'number',
      cell: ({ fileBytes, wastedBytes }) => sizeOrDash(fileBytes - wastedBytes),
    },
  ],
})}`
}

function sizeOrDash(bytes: number): Html {
  return bytes === 0 ? html`<span class="quiet">–</span>` : size(bytes)
}
