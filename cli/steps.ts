/** `lamina layers` and `lamina history`: the layers of an image, and all steps of its build. */
import { z } from 'zod'
import type { ListTable } from '../src/formats/list.ts'
import { isPullKnown, storedAs } from '../src/image/stored.ts'
import { formatBytes, formatCount } from '../src/text/format.ts'
import type { ItemList } from './item-list.ts'

const layerSchema = z.object({
  index: z.number(),
  digest: z.string(),
  diffId: z.string(),
  compression: z.enum(['none', 'gzip', 'zstd']),
  compressedBytes: z.number(),
  uncompressedBytes: z.number().optional(),
  entries: z.number(),
  wastedBytes: z.number(),
  created: z.string().optional(),
  createdBy: z.string().optional(),
})
const reportSchema = z.object({
  image: z.object({ reference: z.string(), transport: z.string() }),
  layers: z.array(layerSchema),
})
const configSchema = z.object({
  history: z
    .array(
      z.object({
        created: z.string().optional(),
        created_by: z.string().optional(),
        comment: z.string().optional(),
        empty_layer: z.boolean().optional(),
      }),
    )
    .nullish(),
})

type Layer = z.output<typeof layerSchema>

type Step = {
  readonly created?: string | undefined
  readonly createdBy: string
  readonly comment?: string | undefined
  /** Absent for a step that added no layer. */
  readonly layer?: number
  readonly uncompressedBytes?: number | undefined
}

const layersTable = (image: { readonly transport: string }): ListTable<Layer> => ({
  columns: [
    { title: 'Layer', align: 'right' },
    { title: 'Compressed', align: 'right' },
    { title: 'Uncompressed', align: 'right' },
    { title: 'Members', align: 'right' },
    { title: 'Wasted', align: 'right' },
    { title: 'Step', align: 'left', cut: 'end' },
  ],
  rows: ({ index, compression, compressedBytes, uncompressedBytes, entries, wastedBytes, createdBy }) => [
    {
      cells: [
        [String(index)],
        [isPullKnown(image, storedAs([{ compression }])) ? formatBytes(compressedBytes) : '–'],
        [uncompressedBytes === undefined ? '–' : formatBytes(uncompressedBytes)],
        [formatCount(entries)],
        [wastedBytes === 0 ? '–' : formatBytes(wastedBytes)],
        createdBy === undefined ? [] : [{ name: createdBy }],
      ],
    },
  ],
  empty: 'The image has no layers.',
})

const HISTORY: ListTable<Step> = {
  columns: [
    { title: 'Created', align: 'left' },
    { title: 'Layer', align: 'right' },
    { title: 'Size', align: 'right' },
    { title: 'Step', align: 'left' },
  ],
  rows: ({ created = '', layer, uncompressedBytes, createdBy }) => [
    {
      cells: [
        [{ name: created.slice(0, 16).replace('T', ' ') }],
        [layer === undefined ? '' : String(layer)],
        [
          layer === undefined
            ? '0 B'
            : uncompressedBytes === undefined
              ? '–'
              : formatBytes(uncompressedBytes),
        ],
        [{ name: createdBy }],
      ],
    },
  ],
  empty: 'The config of the image tells no steps.',
}

/** @param report the JSON of `/v1/report` */
export function layersOf(report: unknown): ItemList<Layer> {
  const { image, layers } = reportSchema.parse(report)
  return {
    heading: {
      subject: image.reference,
      total: [`${layers.length} ${layers.length === 1 ? 'layer' : 'layers'}`],
    },
    items: layers,
    fields: Object.keys(layerSchema.shape),
    table: layersTable(image),
  }
}

/**
 * The last step first, as in `docker history`.
 *
 * @param report the JSON of `/v1/report`
 * @param config the image's config
 */
export function historyOf(report: unknown, config: unknown): ItemList<Step> {
  const { image, layers } = reportSchema.parse(report)
  const history = configSchema.parse(config).history ?? []
  let next = 0
  const steps = history.map(
    ({ created, created_by: createdBy = '', comment, empty_layer: isEmpty }): Step => {
      const step = { created, createdBy, comment: comment || undefined }
      if (isEmpty === true) return step
      const layer = next++
      return { ...step, layer, uncompressedBytes: layers[layer]?.uncompressedBytes }
    },
  )
  return {
    heading: {
      subject: image.reference,
      total: [`${steps.length} ${steps.length === 1 ? 'step' : 'steps'}, the last one first`],
    },
    items: steps.toReversed(),
    fields: ['created', 'layer', 'uncompressedBytes', 'createdBy', 'comment'],
    table: HISTORY,
  }
}
