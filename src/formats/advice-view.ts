/** Advice as people read it: what is worth telling, in what order, and what it amounts to. JSON has all of it. */
import type { Advice, AdviceItem } from '../advice/advise.ts'
import { LARGEST_ONLY } from '../advice/whose-item.ts'
import type { SizedPath } from '../image/report.ts'
import { counted, formatBytes, formatCount, formatPercent } from '../text/format.ts'

export type AdviceView = {
  /** Secrets, then what counts as savings, then what may stay for a reason; each as in the advice. */
  readonly items: readonly AdviceItem[]
  /** How many to show first: what looks like secrets, and the three largest others. */
  readonly first: number
  /** `100 MB can be saved, 43.1% of the bytes in files.` */
  readonly savings: string
}

/** Less than both is not worth a reader's time. */
const LEAST_BYTES = 100_000
const LEAST_SHARE = 0.001
const FIRST = 3

/** @param fileBytes of the whole image */
export function viewAdvice({ savings, items: all }: Advice, fileBytes: number): AdviceView {
  const items = worthwhileItems(all, fileBytes)
  return {
    items,
    first: items.filter(({ severity }) => severity === 'error').length + FIRST,
    savings:
      items.length === 0
        ? 'There is nothing to change.'
        : isSmall(savings.bytes, fileBytes)
          ? 'There is nothing to save without a closer look.'
          : `${formatBytes(savings.bytes)} can be saved, ${formatPercent(savings.percent)} of the bytes in files.`,
  }
}

const WEIGHTS: Readonly<Record<AdviceItem['severity'], number>> = { error: 0, warning: 1, info: 2 }

export function worthwhileItems(items: readonly AdviceItem[], fileBytes: number): readonly AdviceItem[] {
  const secrets = new Set(
    items.filter(({ rule }) => rule === 'secret').flatMap(({ paths }) => paths.map(pathInLayer)),
  )
  return items
    .filter((item) => item.severity === 'error' || !isSmall(item.bytes, fileBytes))
    .filter((item) => !isKnownSecret(item, secrets))
    .toSorted((a, b) => WEIGHTS[a.severity] - WEIGHTS[b.severity])
}

function isSmall(bytes: number, fileBytes: number): boolean {
  return bytes < LEAST_BYTES && bytes < LEAST_SHARE * fileBytes
}

/** Whether removed files are all secrets, which are told already. */
function isKnownSecret({ rule, files, paths }: AdviceItem, secrets: ReadonlySet<string>): boolean {
  return rule === 'removed' && files === paths.length && paths.every((path) => secrets.has(pathInLayer(path)))
}

function pathInLayer({ path, pathBase64, layer }: SizedPath): string {
  return `${layer} ${pathBase64 ?? path}`
}

/** `layer 1, hidden by layer 5`; empty if unknown. */
export function layerText({ rule, layer, layers, byLayer }: AdviceItem): string {
  const stored =
    layer === undefined
      ? []
      : LARGEST_ONLY.has(rule)
        ? [`the largest in layer ${layer}`]
        : [layers === undefined ? `layer ${layer}` : layersText(layers)]
  return [...stored, ...(byLayer === undefined ? [] : [`hidden by layer ${byLayer}`])].join(', ')
}

const MAX_LAYERS = 4

/** `layers 0, 2 and 5` */
function layersText(layers: readonly number[]): string {
  if (layers.length > MAX_LAYERS) return `${formatCount(layers.length)} layers`
  return `layers ${layers.slice(0, -1).join(', ')} and ${layers.at(-1)}`
}

/** `1 file, layer 1, hidden by layer 5, line 12` */
export function filesText(item: AdviceItem): string {
  const { files, line } = item
  const place = layerText(item)
  return [
    files === 0 ? 'the image itself' : counted(files, 'file'),
    ...(place === '' ? [] : [place]),
    ...(line === undefined ? [] : [`line ${line}`]),
  ].join(', ')
}
