/**
 * What Lamina costs on Cloudflare in a month: the table of docs/deploy.md, from counts that tests hold and published prices. `node
 * deploy/costs.ts` prints it.
 */
import { fileURLToPath } from 'node:url'

/** US dollars a million beyond what the plan includes, November 2026. Check them before you rely on this. */
export const PRICES = {
  requests: { dollars: 0.3, included: 10 },
  cpuMilliseconds: { dollars: 0.02, included: 30 },
  objectRequests: { dollars: 0.15, included: 1 },
  objectGigabyteSeconds: { dollars: 12.5, included: 0.4 },
  queueOperations: { dollars: 0.4, included: 1 },
  puts: { dollars: 4.5, included: 1 },
  reads: { dollars: 0.36, included: 10 },
} as const
/** A gigabyte of logs from December 2026, and of what is kept a month. */
const LOGS = { dollars: 0.25, included: 50 }
const KEPT = { dollars: 0.015, included: 10 }

type Priced = keyof typeof PRICES

/** Of one image or report. */
export type Counts = Readonly<Record<Priced, number>> & {
  /** Written to the log. */
  readonly logBytes: number
  /** Kept in the bucket. */
  readonly keptBytes: number
}

const MILLION = 1e6
const LOG_EVENT_BYTES = 2_000
const OBJECT_GIGABYTES = 0.128

/** An image of eight layers, three of them new, out of a batch. `test/analysis/store-cost.test.ts` holds the puts and reads. */
export const IMAGE = {
  newLayers: 3,
  puts: 13,
  reads: 24,
  /** How long the object of a new layer, and that of the image, is awake. */
  layerSeconds: 1.5,
  imageSeconds: 4,
  keptBytes: 530_000,
}

/** @param watchesPerSecond calls of an object by who waits for it */
export function imageCounts(watchesPerSecond: number, logsInvocations: boolean): Counts {
  const { newLayers, puts, reads, layerSeconds, imageSeconds, keptBytes } = IMAGE
  const watched = newLayers * layerSeconds + imageSeconds
  // Each object is called to start its job, and at least once for its end.
  const objectRequests = (newLayers + 1) * 2 + Math.floor(watched * watchesPerSecond)
  return {
    requests: 0.25,
    cpuMilliseconds: 20,
    objectRequests,
    objectGigabyteSeconds: watched * OBJECT_GIGABYTES,
    queueOperations: 3,
    puts,
    reads,
    logBytes: logsInvocations ? (objectRequests + 0.25) * LOG_EVENT_BYTES : 0,
    keptBytes,
  }
}

/** A report of a known image. @param reads of the bucket, on average */
export function reportCounts(reads: number, logsInvocations: boolean): Counts {
  return {
    requests: 1,
    cpuMilliseconds: 10,
    objectRequests: 0,
    objectGigabyteSeconds: 0,
    queueOperations: 0,
    puts: 0,
    reads,
    logBytes: logsInvocations ? LOG_EVENT_BYTES : 0,
    keptBytes: 0,
  }
}

export type Bill = Readonly<Record<Priced | 'logs' | 'kept', number>>

/** Dollars for this many in a month. */
export function billOf(counts: Counts, times: number): Bill {
  const millions = (name: Priced) => (counts[name] * times) / MILLION
  const beyond = (amount: number, { dollars, included }: { dollars: number; included: number }) =>
    Math.max(0, amount - included) * dollars
  const gigabytes = (bytes: number) => (bytes * times) / 1e9
  return {
    requests: beyond(millions('requests'), PRICES.requests),
    cpuMilliseconds: beyond(millions('cpuMilliseconds'), PRICES.cpuMilliseconds),
    objectRequests: beyond(millions('objectRequests'), PRICES.objectRequests),
    objectGigabyteSeconds: beyond(millions('objectGigabyteSeconds'), PRICES.objectGigabyteSeconds),
    queueOperations: beyond(millions('queueOperations'), PRICES.queueOperations),
    puts: beyond(millions('puts'), PRICES.puts),
    reads: beyond(millions('reads'), PRICES.reads),
    logs: beyond(gigabytes(counts.logBytes), LOGS),
    kept: beyond(gigabytes(counts.keptBytes), KEPT),
  }
}

/** Without what it costs to keep the index, which is for each month. */
export function totalOf({ kept, ...bill }: Bill): number {
  return Object.values(bill).reduce((sum, dollars) => sum + dollars, 0)
}

const REPORTS = 100 * MILLION

/** What the table has, and what it was before waiting, logs and reads became cheaper. */
export const ROWS: readonly (readonly [what: string, bill: Bill])[] = [
  [
    'a million images, with invocation logs, asked five times a second',
    billOf(imageCounts(5, true), MILLION),
  ],
  ['a million images', billOf(imageCounts(1, false), MILLION)],
  ['100 million reports, with invocation logs, each with four reads', billOf(reportCounts(4, true), REPORTS)],
  ['100 million reports, none known to their location', billOf(reportCounts(4, false), REPORTS)],
  ['100 million reports, one in ten not known to its location', billOf(reportCounts(0.4, false), REPORTS)],
]

const COLUMNS: readonly (readonly [title: string, of: (bill: Bill) => number])[] = [
  ['puts', ({ puts }) => puts],
  ['reads', ({ reads }) => reads],
  ['requests and CPU', ({ requests, cpuMilliseconds }) => requests + cpuMilliseconds],
  ['objects', (bill) => bill.objectRequests + bill.objectGigabyteSeconds],
  ['queue', ({ queueOperations }) => queueOperations],
  ['logs', ({ logs }) => logs],
  ['all', totalOf],
  ['a month of keeping it', ({ kept }) => kept],
]

/** The table in Markdown. */
export function costTable(): string {
  const cells = [
    ['in a month', ...COLUMNS.map(([title]) => title)],
    ...ROWS.map(([what, bill]) => [what, ...COLUMNS.map(([, of]) => `$${of(bill).toFixed(2)}`)]),
  ]
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length))) ?? []
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  const [head = [], ...rows] = cells
  return [head, rule, ...rows].map(line).join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(costTable())
