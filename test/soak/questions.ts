/**
 * The requests about one image or two, and what must be true of the first answer. Later answers are compared with the first.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import { extract } from 'tar-stream'
import type { Truth } from './images.ts'

export type Subject = {
  readonly reference: string
  readonly platform?: string
  readonly truth: Truth
}

export type Question = {
  /** With its query; also the key under which the first answer is kept. */
  readonly path: string
  /** @returns what is wrong with the answer */
  readonly verify?: (body: Uint8Array) => string | undefined | Promise<string | undefined>
}

type Verify = (body: Uint8Array, truth: Truth) => string | undefined | Promise<string | undefined>

/** Seconds that a question waits for an analysis. */
const WAIT = 120

/** The routes requested for every image; most of them page through the same tables in different orders. */
const ROUTES: readonly (readonly [route: string, query: string, verify?: Verify])[] = [
  ['/v1/report', '', verifyReport],
  ['/v1/report', 'format=text'],
  ['/v1/report', 'format=svg&color=type'],
  ['/v1/files', 'format=ndjson', verifyFiles],
  ['/v1/files', 'limit=50'],
  ['/v1/files', 'glob=usr/**&limit=20'],
  ['/v1/files', 'sort=-bytes&limit=20'],
  ['/v1/tree', 'depth=1', verifyTree],
  ['/v1/waste', 'format=ndjson', verifyWaste],
  ['/v1/duplicates', 'limit=100'],
  ['/v1/packages', 'limit=100'],
  ['/v1/advice', ''],
  ['/v1/check', 'maxFiles=150&maxWasted=40kB', verifyCheck],
  ['/v1/sbom', 'format=cyclonedx'],
  ['/v1/config', ''],
  ['/v1/dockerfile', ''],
  ['/badge/size.svg', ''],
  ['/badge/files.svg', ''],
  ['/badge/waste.json', ''],
]
/** Routes that need no analysis take no `wait`. */
const AT_ONCE = /^\/(?:badge|v1\/(?:config|dockerfile))/

export function questionsOf(subject: Subject): readonly Question[] {
  return ROUTES.map(([route, query, verify]) => question(subject, route, query, verify))
}

export function reportOf(subject: Subject): Question {
  return question(subject, '/v1/report', '', verifyReport)
}

export function filesOf(subject: Subject): Question {
  return question(subject, '/v1/files', 'format=ndjson', verifyFiles)
}

export function exportOf(subject: Subject): Question {
  return question(subject, '/v1/export', '', verifyExport)
}

/** The content of one file of the image. */
export function contentOf(subject: Subject, path: string): Question {
  const name = path.startsWith('base64:')
    ? `pathBase64=${encodeURIComponent(path.slice('base64:'.length))}`
    : `path=${encodeURIComponent(path)}`
  return question(subject, '/v1/file', name, (body, { files }) =>
    differ('the content', sha256(body), files.get(path)?.sha256),
  )
}

export type DiffCounts = {
  readonly added: number
  readonly removed: number
  readonly contentModified: number
}

/** The differences between two images that ImageMaker made. */
export function diffOf(from: Subject, to: Subject): Question {
  return diffQuestion(from.reference, to.reference, () => {
    const [before, after] = [from.truth, to.truth]
    const common = [...after.paths].filter((path) => before.paths.has(path))
    const isChanged = (path: string) => before.files.get(path)?.sha256 !== after.files.get(path)?.sha256
    return {
      added: after.paths.size - common.length,
      removed: before.paths.size - common.length,
      contentModified: common.filter(isChanged).length,
    }
  })
}

export function diffQuestion(from: string, to: string, counts: () => DiffCounts): Question {
  return {
    path: `/v1/diff?${new URLSearchParams({ from, to, wait: `${WAIT}` })}`,
    verify(body) {
      const { added, removed, contentModified } = parse(body).files.counts
      return differ('the counts', { added, removed, contentModified }, counts())
    },
  }
}

function question(subject: Subject, route: string, query: string, verify?: Verify): Question {
  const { reference, platform, truth } = subject
  const parameters = new URLSearchParams(query)
  parameters.set('image', reference)
  if (platform !== undefined) parameters.set('platform', platform)
  if (!AT_ONCE.test(route)) parameters.set('wait', `${WAIT}`)
  const path = `${route}?${parameters}`
  return verify === undefined ? { path } : { path, verify: (body) => verify(body, truth) }
}

export function sha256(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex')
}

function differ(what: string, got: unknown, want: unknown): string | undefined {
  if (isDeepStrictEqual(got, want)) return undefined
  return `${what} is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`
}

function parse(body: Uint8Array) {
  return JSON.parse(Buffer.from(body).toString())
}

function lines(body: Uint8Array) {
  const text = Buffer.from(body).toString()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

function verifyReport(body: Uint8Array, { facts }: Truth): string | undefined {
  const report = parse(body)
  for (const [name, want] of Object.entries(facts)) {
    const got = name.split('.').reduce((value, part) => value?.[part], report)
    const wrong = differ(name, got, want)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function nameOf({ path, pathBase64 }: { path: string; pathBase64?: string }): string {
  return pathBase64 === undefined ? path : `base64:${pathBase64}`
}

function verifyFiles(body: Uint8Array, truth: Truth): string | undefined {
  const items = lines(body)
  const files = items
    .filter(({ type }) => type === 'file')
    .map((item) => [nameOf(item), { bytes: item.bytes, sha256: item.sha256, layer: item.layer }] as const)
  return (
    differ('the paths', items.map(nameOf).sort(), [...truth.paths].sort()) ??
    differ('the files', new Map(files), truth.files)
  )
}

function verifyTree(body: Uint8Array, { facts }: Truth): string | undefined {
  return differ('the root', parse(body).bytes, facts['size.apparentBytes'])
}

function verifyWaste(body: Uint8Array, { facts }: Truth): string | undefined {
  const bytes = lines(body).reduce((sum, item) => sum + item.bytes, 0)
  return differ('the sum', bytes, facts['waste.bytes'])
}

function verifyCheck(body: Uint8Array, { facts }: Truth): string | undefined {
  const passes = Number(facts['counts.files']) <= 150 && Number(facts['waste.bytes']) <= 40_000
  return differ('the verdict', parse(body).pass, passes)
}

async function verifyExport(body: Uint8Array, { files }: Truth): Promise<string | undefined> {
  const found = new Map<string, string>()
  const tar = extract()
  tar.end(Buffer.from(body))
  for await (const entry of tar) {
    const { header } = entry
    const hash = createHash('sha256')
    entry.on('data', (chunk) => {
      if (chunk instanceof Uint8Array) hash.update(chunk)
    })
    await once(entry, 'end')
    const target = header.type === 'link' ? found.get(inRoot(header.linkname ?? '')) : undefined
    found.set(inRoot(header.name), target ?? hash.digest('hex'))
  }
  for (const [path, { sha256: want }] of files) {
    // tar-stream reads names as text.
    if (path.startsWith('base64:')) continue
    const wrong = differ(`the content of ${path}`, found.get(path), want)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function inRoot(name: string): string {
  return name.replace(/^\.?\//, '')
}
