/** What images share, in tables that read like `docker system df -v`, for a terminal and in Markdown. */
import { shortName } from '../image/identity.ts'
import type { Sharing } from '../service/fleet/shared.ts'
import { formatBytes } from '../text/format.ts'
import { terminalLine } from './escape.ts'
import { markdownTable, type Table, type TextStyle, textTable } from './table.ts'

const WIDTH = 80
const DIGEST_LENGTH = 12
/** A reader does not need more layers than this. */
const MAX_LAYERS = 40

export function sharedText(
  sharing: Sharing,
  { colour, width = WIDTH }: TextStyle = { colour: false },
): string {
  const layers = sharedLayers(sharing)
  const lines = [
    totalSentence(sharing),
    '',
    ...textTable(imagesTable(sharing), { colour, width }),
    ...(layers.rows.length === 0 ? [] : ['', ...textTable(layers, { colour, width })]),
    ...moreOf(sharing),
  ]
  return lines.map((line) => `${terminalLine(line)}\n`).join('')
}

export function sharedMarkdown(sharing: Sharing): string {
  const layers = sharedLayers(sharing)
  const lines = [
    `### ${totalSentence(sharing).replace(/\.$/, '')}`,
    '',
    ...markdownTable(imagesTable(sharing)),
    ...(layers.rows.length === 0 ? [] : ['', ...markdownTable(layers)]),
    ...moreOf(sharing).flatMap((line) => ['', line]),
  ]
  return `${lines.join('\n')}\n`
}

function totalSentence({ images, total: { compressedBytes, storedBytes } }: Sharing): string {
  const saved = compressedBytes - storedBytes
  const all = `${images.length} images of ${formatBytes(compressedBytes)} in all take ${formatBytes(storedBytes)}`
  return saved === 0 ? `${all}: they share nothing.` : `${all}: sharing saves ${formatBytes(saved)}.`
}

function imagesTable({ images }: Sharing): Pick<Table, 'columns' | 'rows'> {
  return {
    columns: [
      { title: '#', align: 'right' },
      { title: 'Image', align: 'left' },
      { title: 'Size', align: 'right' },
      { title: 'Shared', align: 'right' },
      { title: 'Unique', align: 'right' },
      { title: 'Base', align: 'right' },
    ],
    rows: images.map(({ image, compressedBytes, sharedBytes, uniqueBytes, base }, place) => ({
      sign: '~',
      cells: [
        [String(place)],
        [{ name: shortName(image) }],
        [formatBytes(compressedBytes)],
        [formatBytes(sharedBytes)],
        [formatBytes(uniqueBytes)],
        base === undefined ? [] : [`#${base}`],
      ],
    })),
  }
}

/** Layers of more than one image. */
function sharedLayers({ layers }: Sharing): Pick<Table, 'columns' | 'rows'> {
  return {
    columns: [
      { title: 'Shared layer', align: 'left' },
      { title: 'Size', align: 'right' },
      { title: 'Images', align: 'left' },
    ],
    rows: layers
      .filter(({ images }) => images.length > 1)
      .slice(0, MAX_LAYERS)
      .map(({ digest, compressedBytes, images }) => ({
        sign: '~',
        cells: [
          [digest.replace('sha256:', '').slice(0, DIGEST_LENGTH)],
          [formatBytes(compressedBytes)],
          [images.map((place) => `#${place}`).join(' ')],
        ],
      })),
  }
}

function moreOf({ layers }: Sharing): readonly string[] {
  const more = layers.filter(({ images }) => images.length > 1).length - MAX_LAYERS
  return more > 0 ? [`… and ${more} more shared layers`] : []
}
