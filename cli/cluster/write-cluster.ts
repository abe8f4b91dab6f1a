/** The images of a cluster as a table that fits the terminal, and for programs. */
import { csvHeader, csvItem } from '../../src/formats/csv.ts'
import { terminalLine, terminalText } from '../../src/formats/escape.ts'
import {
  type PlainRow,
  type PlainTable,
  type TextStyle,
  textTable,
  wrapped,
} from '../../src/formats/table.ts'
import { counted, formatBytes, formatCount } from '../../src/text/format.ts'
import { toJson } from '../../src/text/json.ts'
import type { Cluster, ClusterImage, ClusterNode } from './summary.ts'

const COLUMNS = [
  'references',
  'digest',
  'platform',
  'compressedBytes',
  'layers',
  'uniqueBytes',
  'sharedBytes',
  'uses',
  'nodes',
  'problem',
]
const WIDTH = 80

export function* writeCluster(cluster: Cluster, format: string, style: TextStyle): Generator<string> {
  switch (format) {
    case 'json':
      yield `${toJson(cluster)}\n`
      return
    case 'ndjson':
      for (const image of cluster.images) yield `${toJson(image)}\n`
      return
    case 'csv':
      yield csvHeader(COLUMNS)
      for (const image of cluster.images) yield csvItem(COLUMNS, { ...image })
      return
    default:
      yield clusterText(cluster, style)
  }
}

function clusterText({ images, nodes, total, ignored }: Cluster, style: TextStyle): string {
  const { width = WIDTH } = style
  const lines = [
    ...wrapped(headline(total), width),
    ...(images.length === 0 ? [] : ['', ...textTable(imagesTable(images), style)]),
    ...(nodes.length === 0 ? [] : ['', ...textTable(nodesTable(nodes), style)]),
    ...(ignored.length === 0
      ? []
      : [
          '',
          ...wrapped(
            `Not read: ${ignored.map(({ kind, count }) => `${formatCount(count)} ${terminalText(kind)}`).join(', ')}`,
            width,
          ),
        ]),
  ]
  return lines.map((line) => `${terminalLine(line.trimEnd())}\n`).join('')
}

function headline({
  images,
  problems,
  compressedBytes,
  storedBytes,
  nodes,
  nodeBytes,
}: Cluster['total']): string {
  const of = `${counted(images, 'image')} of ${formatBytes(compressedBytes)} in all, ${formatBytes(storedBytes)} with each layer once.`
  const on =
    nodes === 0
      ? ''
      : ` ${counted(nodes, 'node')} ${nodes === 1 ? 'stores' : 'store'} ${formatBytes(nodeBytes)}.`
  return `${of}${on}${problems === 0 ? '' : ` ${counted(problems, 'image')} cannot be read.`}`
}

function imagesTable(images: readonly ClusterImage[]): PlainTable {
  return {
    columns: [
      { title: 'Size', align: 'right' },
      { title: 'Shared', align: 'right' },
      { title: 'Unique', align: 'right' },
      { title: 'Uses', align: 'right' },
      { title: 'Nodes', align: 'right' },
      { title: 'Image', align: 'left' },
    ],
    rows: images.flatMap(imageRows),
  }
}

/** A line for each name that it has. */
function imageRows(image: ClusterImage): readonly PlainRow[] {
  const [first = '', ...others] = image.references
  const where = [[formatCount(image.uses.length)], [formatCount(image.nodes.length)]]
  const more = others.map((name): PlainRow => ({ cells: [[], [], [], [], [], [{ name }]] }))
  if ('problem' in image) {
    const why: PlainRow = {
      sign: '+',
      cells: [[], [], [], [], [], [`  ${terminalText(image.problem.code)}`]],
    }
    return [{ sign: '+', cells: [['–'], [], [], ...where, [{ name: first }]] }, ...more, why]
  }
  const { compressedBytes, sharedBytes, uniqueBytes } = image
  const sizes = [compressedBytes, sharedBytes, uniqueBytes].map((bytes) => [formatBytes(bytes)])
  return [{ cells: [...sizes, ...where, [{ name: first }]] }, ...more]
}

function nodesTable(nodes: readonly ClusterNode[]): PlainTable {
  return {
    columns: [
      { title: 'Stored', align: 'right' },
      { title: 'Images', align: 'right' },
      { title: 'Problems', align: 'right' },
      { title: 'Node', align: 'left' },
    ],
    rows: nodes.map(({ node, images, problems, storedBytes }) => ({
      cells: [
        [formatBytes(storedBytes)],
        [formatCount(images)],
        problems === 0 ? [] : [formatCount(problems)],
        [{ name: node }],
      ],
    })),
  }
}
