import fc from 'fast-check'
import type { html } from 'hono/html'
import { describe, expect, it } from 'vitest'
import type { ChangeNode } from '../diff/change-tree.ts'
import type { Diff } from '../diff/summary.ts'
import type { Area } from '../image/areas.ts'
import type { ImageIdentity, Report } from '../image/report.ts'
import { Problem } from '../problem.ts'
import type { DiffParts } from '../service/images/diff.ts'
import { encodeText } from '../text/bytes.ts'
import { formatBytes } from '../text/format.ts'
import { formatBytes as formatInScripts } from './assets/progress.js'
import { changeMapPage } from './diff/map.ts'
import { diffPage } from './diff/page.ts'
import { textDiffPage } from './diff/text.ts'
import { docsPage } from './docs.ts'
import { failurePage } from './failure.ts'
import { homePage } from './home.ts'
import { loginLink, loginPage } from './login.ts'
import { mapPage } from './map.ts'
import { ownedBar, unownedPage } from './owned.ts'
import { progressPage } from './progress.ts'
import { type ReportView, reportPage } from './report.ts'

/** Markup, the end of an attribute, and characters that reverse or hide what follows them. */
const HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202egnp.exe\u0000\'&amp;'

const image: ImageIdentity = {
  reference: `docker.io/library/app:${HOSTILE}`,
  transport: 'docker',
  registry: HOSTILE,
  id: `sha256:${'c'.repeat(64)}`,
  repository: HOSTILE,
  tag: HOSTILE,
  digest: `sha256:${'a'.repeat(64)}`,
  platform: HOSTILE,
  mediaType: HOSTILE,
  created: HOSTILE,
  os: HOSTILE,
  architecture: HOSTILE,
}

const report: Report = {
  image,
  size: {
    compressedBytes: 40,
    uncompressedBytes: 100,
    fileBytes: 90,
    rootfsBytes: 80,
    apparentBytes: 85,
    stored: 'compressed',
  },
  counts: { layers: 1, entries: 9, paths: 9, files: 5, directories: 3, symlinks: 1, other: 0 },
  layers: [
    {
      index: 0,
      digest: image.digest,
      diffId: image.digest,
      mediaType: HOSTILE,
      compression: 'gzip',
      verified: 'content',
      compressedBytes: 40,
      uncompressedBytes: 100,
      fileBytes: 90,
      entries: 9,
      wastedBytes: 10,
      createdBy: HOSTILE,
    },
  ],
  waste: {
    bytes: 10,
    files: 2,
    removed: { bytes: 10, files: 1 },
    replaced: { bytes: 0, files: 1 },
    metadataOnly: { bytes: 0, files: 0 },
  },
  duplicates: { groups: 2, wastedBytes: 5 },
  efficiency: { score: 0.875, wastedBytes: 10, inefficientPaths: 1 },
  largestFiles: [{ path: HOSTILE, bytes: 50, layer: 0 }],
  largestDirectories: [{ path: HOSTILE, bytes: 80 }],
  packages: { total: 2, byType: { deb: 1, npm: 1 }, ownedBytes: 20, ownedPercent: 25 },
  warnings: [{ code: 'dotdot', count: 2, layer: 0, path: HOSTILE }],
}

const areas: Area = {
  key: '',
  isDirectory: true,
  bytes: 85,
  files: 5,
  main: 0,
  children: [
    { key: encodeText(HOSTILE.replaceAll('\u0000', '')), isDirectory: false, bytes: 50, files: 1, main: 0 },
  ],
}

const view: ReportView = {
  report,
  waste: [{ path: HOSTILE, bytes: 10, layer: 0, reason: 'removed', byLayer: 1 }],
  duplicates: [{ sha256: 'b'.repeat(64), bytes: 5, count: 2, wastedBytes: 5, paths: [{ path: HOSTILE }] }],
  packages: [{ type: 'deb', name: HOSTILE, version: HOSTILE, purl: HOSTILE, layer: 0 }],
  advice: {
    savings: { bytes: 10, percent: 11 },
    items: [
      {
        rule: 'removed',
        severity: 'warning',
        title: HOSTILE,
        bytes: 10,
        files: 5,
        layer: 0,
        byLayer: 0,
        createdBy: HOSTILE,
        paths: [{ path: HOSTILE, pathBase64: 'eA==', bytes: 10, layer: 0 }],
        fix: HOSTILE,
      },
    ],
  },
  areas,
  colour: 'layer',
  base: { sentence: ['On ', { name: HOSTILE }, ' (1 B)'], layers: 1, reference: HOSTILE },
  runs: { entrypoint: [HOSTILE], user: HOSTILE, ports: [HOSTILE], configBytes: 7 },
  origin: 'https://lamina.example',
}

const figure = { from: 100, to: 40, delta: -60 }
const layer = {
  diffId: image.digest,
  index: 0,
  digest: image.digest,
  compressedBytes: 1,
  uncompressedBytes: 2,
  wastedBytes: 0,
}
const diff: Diff = {
  from: image,
  to: image,
  size: {
    compressedBytes: figure,
    uncompressedBytes: figure,
    fileBytes: figure,
    rootfsBytes: figure,
    apparentBytes: figure,
    stored: { from: 'compressed', to: 'compressed' },
  },
  waste: figure,
  counts: { layers: figure, files: figure },
  identical: false,
  layers: { shared: [], removed: [{ ...layer, createdBy: HOSTILE }], added: [layer] },
  files: {
    counts: { added: 1, removed: 0, modified: 0, contentModified: 0, typeChanged: 0, mtimeOnly: 0 },
    bytes: { added: 7, removed: 0, modifiedDelta: 0 },
    directories: [{ path: HOSTILE, delta: 7, added: 1, removed: 0, modified: 0 }],
    largest: [{ path: HOSTILE, change: 'added', fromBytes: 0, toBytes: 7, delta: 7 }],
  },
  packages: { added: [{ type: 'npm', name: HOSTILE, to: HOSTILE }], removed: [], changed: [] },
  config: [{ field: `labels.${HOSTILE}`, from: HOSTILE, to: [HOSTILE] }],
  history: { added: [{ createdBy: HOSTILE, emptyLayer: false }], removed: [] },
}

const leaf = (change: 'added' | 'modified'): ChangeNode => ({
  key: encodeText(`${change}${HOSTILE.replaceAll('\u0000', '')}`),
  isDirectory: false,
  change: { path: HOSTILE, change, fields: ['content'], fromBytes: 3, toBytes: 10, delta: 7 },
  delta: 7,
  ownDelta: 0,
  bytes: { added: 0, removed: 0, modified: 10 },
  counts: { added: 0, removed: 0, modified: 1 },
  children: [],
  left: 0,
})
const changes: ChangeNode = {
  ...leaf('added'),
  key: '',
  isDirectory: true,
  children: [leaf('added'), leaf('modified')],
  left: 3,
}
const diffView: DiffParts = {
  diff,
  changes,
  history: [{ from: { createdBy: HOSTILE, emptyLayer: false }, same: false }],
}

const progress = { layers: 4, layersDone: 1, layersReused: 1, bytes: 2_000_000, bytesDone: 500_000 }
const waiting = { image: HOSTILE, platform: HOSTILE, progress, events: '/v1/analyses/x/events' } as const

const PAGES: readonly (readonly [string, () => ReturnType<typeof html>])[] = [
  ['first', homePage],
  ['report', () => reportPage(view)],
  ['diff', () => diffPage(diffView)],
  ['treemap of changes', () => changeMapPage(image, image, changes)],
  [
    'text diff',
    () =>
      textDiffPage(image, image, {
        path: HOSTILE,
        from: { sha256: '0', bytes: 1 },
        identical: false,
        binary: false,
        coarse: true,
        hunks: [{ fromStart: 1, fromLines: 1, toStart: 1, toLines: 1, lines: [`-${HOSTILE}\n`, '+x\n'] }],
      }),
  ],
  ['treemap', () => mapPage(image, { parameters: { image: HOSTILE }, top: areas, colour: 'waste' })],
  ['files without a package', () => unownedPage({ image, files: report.largestFiles })],
  ['progress', () => progressPage([{ ...waiting, status: 'running' }])],
  [
    'failure',
    () =>
      failurePage(new Problem('platform_not_found', HOSTILE, { image: HOSTILE, platforms: [HOSTILE] }), {
        values: { image: HOSTILE },
        login: loginLink(HOSTILE, HOSTILE),
      }),
  ],
  [
    'login',
    () =>
      loginPage({
        next: `/?image=${HOSTILE}`,
        form: 'x',
        needsToken: true,
        hasToken: false,
        registries: [HOSTILE],
        registry: HOSTILE,
        problem: HOSTILE,
      }),
  ],
  ['documentation', docsPage],
]

describe.each(PAGES)('the %s page', (_, make) => {
  it('lets no name become markup or reverse the text direction', async () => {
    const text = String(await make())
    expect(text).not.toMatch(/<script>|<img src=x|onerror=alert\(1\)>(?!&)/)
    expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069\0]/)
    expect(text.match(/<script/g)?.length ?? 0).toBe(
      text.match(/<script [^>]*src="\/assets\/[a-z.-]+"/g)?.length ?? 0,
    )
  })

  it('loads nothing but assets and runs nothing inline', async () => {
    const text = String(await make())
    expect(text).not.toMatch(/<style|\sstyle=|\son[a-z]+="/)
    for (const [, url] of text.matchAll(/(?:src|<link rel="(?!expect")[^>]* href)="([^"]*)"/g)) {
      expect(url).toMatch(/^\/(?:assets|badge)\//)
    }
  })

  it('has a language, a title, a skip link, and unique ids', async () => {
    const text = String(await make())
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/)
    expect(text).toMatch(/<title>[^<]+ · Lamina<\/title>/)
    const target = /<a class="skip" href="#([a-z]+)">/.exec(text)?.[1]
    expect(text).toContain(`id="${target}"`)
    const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)
    expect(ids).toEqual([...new Set(ids)])
  })
})

it('a report says which sections are empty, and where the rest of the others is', async () => {
  const empty = String(await reportPage({ ...view, waste: [], duplicates: [], packages: [] }))
  expect(empty).toContain('No layer hides a file of a lower layer.')
  expect(empty).toContain('No supported package database found.')
  const full = String(await reportPage(view))
  expect(full).toContain('1 of 2: <a href="/v1/waste?image=docker.io')
})

it('a diff of equal images says so', async () => {
  const identical = { ...diffView, diff: { ...diff, identical: true } }
  expect(String(await diffPage(identical))).toContain('Identical: the same files')
  expect(String(await diffPage(diffView))).not.toContain('Identical: the same files')
})

it('a diff folds its long sections, and says beside their names what is in them', async () => {
  const text = String(await diffPage(diffView))
  const folded = [...text.matchAll(/<details ><summary><h2>(.*?)<\/h2> <span class="quiet">(.*?)<\/span>/g)]
  expect(folded.map(([, ...shown]) => shown)).toEqual([
    ['Packages', '1 added'],
    ['Layers', '1 removed, 1 added'],
    ['Configuration', '1 changed'],
    ['History', 'steps of both, side by side'],
    ['Raw data', 'JSON, Markdown, HTML'],
  ])
})

it('progress of tiny layers counts layers', async () => {
  const tiny = { ...progress, layers: 1, bytes: 999_999, bytesDone: 500 }
  const text = String(await progressPage([{ ...waiting, progress: tiny, status: 'running' }]))
  expect(text).toContain('value="1" max="1"')
  expect(text).toContain('data-said>1 of 1 layer done<')
})

it('the bar of what packages own is there if there are packages, and links to the rest if there is any', () => {
  const bar = (total: number, ownedBytes: number) => {
    const packages = { ...report.packages, total, ownedBytes }
    return String(ownedBar({ ...report, packages }))
  }
  expect(bar(0, 0)).toBe('')
  expect(
    bar(1, 20)
      .match(/ width="[\d.]+"/g)
      ?.slice(0, 2),
  ).toEqual([' width="250.00"', ' width="750.00"'])
  expect(bar(1, 20)).toMatch(/60 B.*75\.0%.*href="\/v1\/files\?image=[^"]*&amp;owned=false&amp;sort=-bytes"/)
  expect(bar(1, 20)).toContain('data-load="/unowned?image=')
  expect(bar(1, 80)).not.toContain('data-load')
})

it('scripts write sizes like the server', () => {
  const sizes = [0, 1, 999, 1000, 999_499, 999_500, 1_234_567, 999_499_999, 999_500_000, 85_404_597, 2 ** 45]
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...sizes), fc.maxSafeNat()), (bytes) => {
      expect(formatInScripts(bytes)).toBe(formatBytes(bytes))
    }),
  )
})

it('progress shows figures, and without scripts the page reloads itself', async () => {
  const text = String(await progressPage([{ ...waiting, status: 'running' }]))
  expect(text).toContain('value="500000" max="2000000"')
  expect(text).toContain('500 kB of 2.00 MB read, 1 of 4 layers done')
  expect(text).toContain('<noscript><meta http-equiv="refresh" content="2"></noscript>')
  expect(text).toContain('data-events="/v1/analyses/x/events"')
})

it('a link to a report unfurls with what it says and a picture of it', async () => {
  const text = String(await reportPage(view))
  expect(text).toMatch(/<meta property="og:description" content="[^"]*on disk, [^"]*to pull/)
  expect(text).toMatch(/<meta property="og:image" content="http[^"]*\/v1\/report\?[^"]*format=svg"/)
  for (const name of ['Compare', 'CI', 'CLI', 'API']) expect(text).toContain(`>${name}</a>`)
})
