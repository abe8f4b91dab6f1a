/**
 * The samples in the documents, produced by the code from the answers in `docs/examples`. `node test/repository/samples.ts` writes them
 * between their marks, `<!-- sample NAME -->` and `<!-- end of sample -->`.
 */
import { readFile, writeFile } from 'node:fs/promises'
import description from '../../package.json' with { type: 'json' }
import type { Advice } from '../../src/advice/advise.ts'
import type { Diff } from '../../src/diff/summary.ts'
import { worthwhileItems } from '../../src/formats/advice-view.ts'
import { commentMarkdown } from '../../src/formats/comment-markdown.ts'
import { diffMarkdown } from '../../src/formats/diff-markdown.ts'
import { diffText } from '../../src/formats/diff-text.ts'
import { reportText } from '../../src/formats/report-text.ts'
import { adviceSchema } from '../../src/http/routes/advice.schema.ts'
import { diffSchema } from '../../src/http/routes/diff.schema.ts'
import { reportSchema } from '../../src/http/routes/report.schema.ts'
import { wastePageSchema } from '../../src/http/routes/waste.schema.ts'
import type { Report } from '../../src/image/report.ts'
import { FIGURES } from '../../src/text/figures.ts'

export const DOCUMENTS = ['README.md', 'docs/service.md', 'docs/diff-example.md', 'docs/ci.md'] as const

const ROOT = new URL('../../', import.meta.url)

/** Where each figure is in a report. */
const FIELDS: Readonly<Record<keyof typeof FIGURES, string>> = {
  compressed: 'size.compressedBytes',
  uncompressed: 'size.uncompressedBytes',
  fileSystem: 'size.apparentBytes',
  wasted: 'waste.bytes',
  duplicated: 'duplicates.wastedBytes',
  efficiency: 'efficiency.score',
  files: 'counts.files',
  layers: 'counts.layers',
}

/** By name. */
export async function makeSamples(): Promise<Readonly<Record<string, string>>> {
  const [diff, report]: [Diff, Report] = [await example('diff'), await example('report')]
  const [advice, wasted]: [Advice, unknown] = [await example('advice'), await example('waste')]
  // The examples have the documented shape.
  diffSchema.parse(diff)
  reportSchema.parse(report)
  adviceSchema.parse(advice)
  wastePageSchema.parse(wasted)
  const { image, size, counts, waste, duplicates, efficiency, packages } = report
  const shortened = [
    `{"image":${start({ reference: image.reference, digest: `${image.digest.slice(0, 15)}…`, platform: image.platform })},`,
    ` "size":${JSON.stringify(size)},`,
    ` "counts":${start({ layers: counts.layers, entries: counts.entries, paths: counts.paths, files: counts.files })},`,
    ` "waste":${start({ bytes: waste.bytes, files: waste.files, removed: waste.removed })},`,
    ` "duplicates":${JSON.stringify(duplicates)},`,
    ` "efficiency":${start({ score: efficiency.score, wastedBytes: efficiency.wastedBytes })},`,
    ` "packages":${start({ total: packages.total, byType: packages.byType })},…}`,
  ]
  const [text = ''] = diffText(diff).split('\n\n-', 1)
  return {
    report: fenced([
      "$ curl 'http://127.0.0.1:8080/v1/report?image=registry.example/app:v1&wait=60'",
      ...shortened,
    ]),
    'report as text': fenced([
      `$ npx --yes ./dist/release/lamina-oci-${description.version}.tgz report registry.example/app:v1`,
      ...shortReport(report, advice),
    ]),
    waste: fenced([
      "$ curl 'http://127.0.0.1:8080/v1/waste?image=registry.example/app:v1&limit=1'",
      JSON.stringify(wasted).replace(',"bytes"', ',\n           "bytes"'),
    ]),
    'diff as text': fenced([
      "$ curl 'http://127.0.0.1:8080/v1/diff?from=registry.example/app:v1&to=registry.example/app:v2&wait=60&format=text'",
      ...text.split('\n').slice(0, 10),
      '…',
    ]),
    figures: [
      '| figure | in JSON | what it is |',
      '| --- | --- | --- |',
      ...Object.entries(FIGURES).map(
        ([name, { label, meaning }]) =>
          `| ${label} | \`${FIELDS[name as keyof typeof FIGURES]}\` | ${meaning} |`,
      ),
    ].join('\n'),
    'diff as Markdown': diffMarkdown(diff).trim(),
    comment: shortComment(diff, report),
  }
}

const SHOWN = { items: 2, fix: 115, layers: 4 }

/** What is not folded, as a quotation. */
function shortComment(diff: Diff, { size }: Report): string {
  const { compressedBytes, apparentBytes } = diff.size
  const facts = {
    image: diff.to,
    size: { ...size, compressedBytes: compressedBytes.to, apparentBytes: apparentBytes.to },
    diff,
    advice: [],
    builds: [],
  }
  const [text = ''] = commentMarkdown(facts).split('\n<details>', 1)
  return text
    .trim()
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n')
}

/** Some pieces of advice with the start of their text, the figures, and some of the layers. */
function shortReport(report: Report, advice: Advice): readonly string[] {
  const worthwhile = worthwhileItems(advice.items, report.size.fileBytes)
  const items = worthwhile
    .slice(0, SHOWN.items)
    .map((item) => ({ ...item, fix: `${item.fix.slice(0, SHOWN.fix).replace(/ \S*$/, '')} …` }))
  const [head = '', , figures = '', layers = ''] = reportText({ report, advice: { ...advice, items } }).split(
    '\n\n',
  )
  return [
    head,
    `  … and ${worthwhile.length - items.length} more suggestions`,
    '',
    figures,
    '',
    ...layers.split('\n').slice(0, SHOWN.layers + 1),
    '…',
  ]
}

/** The first fields of an object. */
function start(fields: object): string {
  return `${JSON.stringify(fields).slice(0, -1)},…}`
}

function fenced(lines: readonly string[]): string {
  return ['```console', ...lines, '```'].join('\n')
}

async function example(name: string) {
  return JSON.parse(await readFile(new URL(`docs/examples/${name}.json`, ROOT), 'utf8'))
}

const MARKS = /(<!-- sample ([\w ]+) -->\n)([\s\S]*?)(\n<!-- end of sample -->)/g

export async function readDocument(path: string): Promise<string> {
  return readFile(new URL(path, ROOT), 'utf8')
}

/** The samples in a document, by name. */
export function samplesIn(text: string): readonly (readonly [name: string, sample: string])[] {
  return [...text.matchAll(MARKS)].map(([, , name = '', sample = '']) => [name, sample.trim()] as const)
}

if (import.meta.main) {
  const samples = await makeSamples()
  for (const path of DOCUMENTS) {
    const text = await readDocument(path)
    const written = text.replace(MARKS, (all, before: string, name: string, _sample, after: string) =>
      samples[name] === undefined ? all : `${before}\n${samples[name]}\n${after}`,
    )
    await writeFile(new URL(path, ROOT), written)
  }
}
