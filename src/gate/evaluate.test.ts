import { beforeAll, describe, expect, test } from 'vitest'
import { digestOf, smallTable, storeImage } from '../../test/layers/store.ts'
import { emptyFacts } from '../../test/support/facts.ts'
import { MemoryStore } from '../../test/support/memory-store.ts'
import type { ObjectStore } from '../host.ts'
import { DUPLICATES } from '../image/duplicates.ts'
import { efficiencyBlamed } from '../image/efficiency.ts'
import { MERGED_ENTRIES } from '../image/merged-entry.ts'
import type { ImageFacts } from '../image/report.ts'
import { storedPaths } from '../image/stored-paths.ts'
import { showWasted, WASTED_FILES } from '../image/waste.ts'
import { ENTRIES } from '../index/entries.ts'
import { imageKey, layerKey } from '../index/keys.ts'
import { type Entry, whiteoutOf } from '../layer/entry.ts'
import type { Schema } from '../table/schema.ts'
import { openTable } from '../table/table.ts'
import { decodeText } from '../text/bytes.ts'
import { keyToPath, pathToKey } from '../text/path.ts'
import { policyFromDiveCi } from './dive-ci.ts'
import { evaluate } from './evaluate.ts'
import { type Policy, policyFromQuery } from './policy.ts'
import type { GateImage, Subject } from './subject.ts'
import type { AdviceFigures, GateTables } from './tables.ts'

/** Files of these sizes, each with different content unless it is given. */
function layer(files: Readonly<Record<string, number | readonly [bytes: number, content: string]>>): Entry[] {
  return Object.entries(files).map(([path, size], ordinal) => {
    const [bytes, content] = typeof size === 'number' ? [size, `${path} ${size}`] : size
    const key = pathToKey(path)
    const whiteout = whiteoutOf(key)
    const sha256 = Buffer.from(digestOf(content).slice(7), 'hex').toString('latin1')
    const entry = {
      key,
      type: 'file',
      bytes,
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: 0,
      ordinal,
      offset: 0,
    } as const
    return whiteout === undefined ? { ...entry, sha256 } : { ...entry, whiteout }
  })
}

/** Each layer's tar has 10,240 bytes. */
const LAYERS = [
  layer({
    'usr/bin/tool': [100, 'tool'],
    'usr/lib/a': [20, 'library'],
    'usr/lib/b': [20, 'library'],
    'usr/share/doc': 40,
    'usr/share/old': 7,
  }),
  layer({
    'usr/bin/tool': [120, 'new tool'],
    'usr/share/.wh.old': 0,
    'var/cache/packages': 500,
    'var/log': 60,
  }),
  layer({
    'var/cache/.wh.packages': 0,
    'var/log': 70,
    'app/.git/config': 30,
    'app/key': 5,
    'app/a': [20, 'library'],
    'app/tool': [120, 'new tool'],
  }),
]
const ADVICE: AdviceFigures = {
  savings: { bytes: 567 },
  items: [
    { severity: 'warning', bytes: 507, paths: [{ path: 'var/cache/packages', bytes: 500, layer: 1 }] },
    { severity: 'info', bytes: 40, paths: [{ path: 'usr/share/doc', bytes: 40, layer: 0 }] },
    { severity: 'error', bytes: 5, paths: [{ path: 'app/key', bytes: 5, layer: 2 }] },
  ],
}
/** What the three layers hide. */
const WASTE = { tool: 100, old: 7, packages: 500, log: 60 }
const WASTED = WASTE.tool + WASTE.old + WASTE.packages + WASTE.log
const FILE_BYTES = 187 + 680 + 245

let store: ObjectStore
let image: GateImage
let subject: Subject

function gateImage(name: string, layers: number, facts?: ImageFacts): GateImage {
  const digests = LAYERS.slice(0, layers).map((_, index) => digestOf(`layer ${index}`))
  const descriptors = digests.map((digest) => ({ mediaType: 'layer', digest, size: 10_240 }))
  return {
    identity: {
      reference: `example.com/${name}:latest`,
      transport: 'docker',
      registry: 'example.com',
      id: `sha256:${'c'.repeat(64)}`,
      repository: name,
      digest: digestOf('an image'),
      platform: 'linux/amd64',
      mediaType: 'image',
      os: 'linux',
      architecture: 'amd64',
    },
    manifest: {
      kind: 'image',
      mediaType: 'image',
      config: { mediaType: 'config', digest: digestOf('config'), size: 2 },
      layers: descriptors,
    },
    diffIds: digests,
    ...(facts === undefined ? {} : { facts }),
  }
}

function storedTables(digest: string): GateTables {
  async function* rows<Row>(key: string, schema: Schema<Row>) {
    const table = await openTable(store, key, schema)
    if (table === undefined) throw new Error(`${key} is not there`)
    yield* table.rows()
  }
  return {
    async *waste() {
      for await (const batch of (await smallTable(store, digest, 'waste', WASTED_FILES)).rows()) {
        yield batch.map(showWasted)
      }
    },
    async *duplicates() {
      yield* (await smallTable(store, digest, 'duplicates', DUPLICATES)).rows()
    },
    files: () => rows(imageKey(digest, 'files.parquet'), MERGED_ENTRIES),
    efficiency: ({ ignores, baseLayers }) =>
      efficiencyBlamed(
        () => image.manifest.layers.map((one) => rows(layerKey(one.digest, 'entries.parquet'), ENTRIES)),
        { ignores: (key) => ignores(decodeText(keyToPath(key)).text), baseLayers },
      ),
    stored: () =>
      storedPaths(image.manifest.layers.map((one) => rows(layerKey(one.digest, 'entries.parquet'), ENTRIES))),
    async isShown(key) {
      for await (const batch of rows(imageKey(digest, 'files.parquet'), MERGED_ENTRIES)) {
        for (const row of batch) if (row.key === key) return true
      }
      return false
    },
    advice: async () => ADVICE,
  }
}

beforeAll(async () => {
  store = new MemoryStore()
  const { digest, facts } = await storeImage(store, LAYERS)
  image = gateImage('app', 3, facts)
  subject = { image, tables: storedTables(digest) }
})

function judge(query: string, more: Partial<Subject> = {}) {
  return evaluate(policyFromQuery(new URLSearchParams(query), []), { ...subject, ...more })
}

async function only(query: string, more: Partial<Subject> = {}) {
  const { rules } = await judge(query, more)
  const [rule] = rules
  if (rule === undefined || rules.length > 1) throw new Error('not one rule')
  return rule
}

describe('each rule, at its limit and past it', () => {
  test.each([
    ['maxCompressed', 30_720],
    ['maxSize', 30_720],
    ['maxLayerSize', 10_240],
    ['maxWasted', WASTED],
    // A copy of the tool, and two of the library.
    ['maxDuplicated', 120 + 2 * 20],
    ['maxLayers', 3],
    ['maxFiles', 9],
  ])('%s', async (rule, actual) => {
    const held = await only(`${rule}=${actual}`)
    expect(held).toMatchObject({ rule, pass: true, actual, limit: actual, message: expect.any(String) })
    expect(held).not.toHaveProperty('evidence')
    expect(await only(`${rule}=${actual - 1}`)).toMatchObject({
      rule,
      pass: false,
      actual,
      limit: actual - 1,
      evidence: expect.arrayContaining([expect.any(Object)]),
    })
  })

  test('maxWastedPercent', async () => {
    const actual = (100 * WASTED) / FILE_BYTES
    expect(await only(`maxWastedPercent=${actual + 1e-9}`)).toMatchObject({
      pass: true,
      actual,
      unit: 'percent',
    })
    expect(await only(`maxWastedPercent=${actual - 1e-9}%`)).toMatchObject({ pass: false, actual })
  })

  test('minEfficiency', async () => {
    const { score } = image.facts?.efficiency ?? {}
    expect(await only(`minEfficiency=${score}`)).toMatchObject({ pass: true, actual: score, limit: score })
    expect(await only('minEfficiency=1')).toMatchObject({ pass: false, actual: score })
  })

  test('maxUserWastedPercent', async () => {
    const actual = 100 * (image.facts?.efficiency.wastedUserRatio ?? 0)
    expect(await only(`maxUserWastedPercent=${(actual + 0.001).toFixed(4)}`)).toMatchObject({
      pass: true,
      actual: expect.closeTo(actual, 9),
    })
    expect(await only(`maxUserWastedPercent=${(actual - 0.001).toFixed(4)}%`)).toMatchObject({ pass: false })
  })

  test('denyShown', async () => {
    expect(await only('denyShown=**/*.none')).toMatchObject({ pass: true, actual: 0, limit: '**/*.none' })
    expect(await only('denyShown=app/**')).toMatchObject({
      pass: false,
      actual: 6,
      limit: 'app/**',
      evidence: [
        { path: 'app/tool', bytes: 120, layer: 2 },
        { path: 'app/.git/config', bytes: 30, layer: 2 },
        { path: 'app/a', bytes: 20, layer: 2 },
        { path: 'app/key', bytes: 5, layer: 2 },
        { path: 'app', layer: 2 },
        { path: 'app/.git', layer: 2 },
      ],
    })
    expect(await only('denyShown=var/cache/packages')).toMatchObject({ pass: true, actual: 0 })
  })

  test('deny checks what every layer stores, and says what is hidden', async () => {
    expect(await only('deny=**/*.none')).toMatchObject({ pass: true, actual: 0, limit: '**/*.none' })
    expect(await only('deny={var,usr/bin}/**')).toMatchObject({
      pass: false,
      actual: 3,
      evidence: [
        { path: 'var/cache/packages', bytes: 500, layer: 1, hidden: true },
        { path: 'usr/bin/tool', bytes: 120, layer: 1 },
        { path: 'var/log', bytes: 70, layer: 2 },
      ],
    })
    expect((await only('deny=usr/bin/tool')).evidence).toEqual([
      { path: 'usr/bin/tool', bytes: 120, layer: 1 },
    ])
    // Whiteouts and directories without an entry are not stored.
    expect(await only('deny=**/.wh.*')).toMatchObject({ actual: 0 })
    expect(await only('deny=app')).toMatchObject({ actual: 0 })
    expect(await only('deny=var/cache/packages&ignore=var/cache/**')).toMatchObject({ actual: 0 })
  })

  test('each glob is a rule', async () => {
    const { pass, rules } = await judge('deny=**/*.none&denyShown=**/.git/**&deny=**/key')
    expect(pass).toBe(false)
    expect(rules.map(({ rule, limit, actual }) => [rule, limit, actual])).toEqual([
      ['deny', '**/*.none', 0],
      ['deny', '**/key', 1],
      ['denyShown', '**/.git/**', 2],
    ])
  })

  test('maxSavings', async () => {
    expect(await only('maxSavings=567')).toMatchObject({ pass: true, actual: 567, limit: 567, unit: 'bytes' })
    expect(await only('maxSavings=566')).toMatchObject({
      pass: false,
      evidence: [{ path: 'var/cache/packages', bytes: 500, layer: 1 }],
    })
    const actual = (100 * 567) / FILE_BYTES
    expect(await only(`maxSavings=${actual + 1e-9}%25`)).toMatchObject({
      pass: true,
      actual,
      unit: 'percent',
    })
    expect(await only(`maxSavings=${actual - 1e-9}%25`)).toMatchObject({ pass: false, actual })
  })

  test('maxSeverity', async () => {
    expect(await only('maxSeverity=warning')).toMatchObject({
      pass: false,
      limit: 'warning',
      actual: 'error',
      message: '1 finding of severity error; the policy allows warning.',
      evidence: [{ path: 'app/key', bytes: 5, layer: 2 }],
    })
    expect((await only('maxSeverity=info')).evidence?.map(({ path }) => path)).toEqual([
      'app/key',
      'var/cache/packages',
    ])
    const clean = {
      ...storedTables(image.identity.digest),
      advice: async () => ({ savings: { bytes: 0 }, items: [] }),
    }
    expect(await only('maxSeverity=info', { tables: clean })).toMatchObject({ pass: true, actual: null })
  })

  test('maxFiles says how many files each layer adds', async () => {
    expect((await only('maxFiles=1')).evidence).toEqual([
      { files: 5, layer: 2 },
      { files: 3, layer: 0 },
      { files: 1, layer: 1 },
    ])
  })
})

test('evidence lists the worst first', async () => {
  expect((await only('maxWasted=0')).evidence).toEqual([
    { path: 'var/cache/packages', bytes: 500, layer: 1 },
    { path: 'usr/bin/tool', bytes: 100, layer: 0 },
    { path: 'var/log', bytes: 60, layer: 1 },
    { path: 'usr/share/old', bytes: 7, layer: 0 },
  ])
  expect((await only('maxDuplicated=0')).evidence).toEqual([
    { path: 'app/tool', bytes: 120 },
    { path: 'app/a', bytes: 40 },
  ])
})

describe('a floor', () => {
  test.each(['maxWastedPercent=1', 'minEfficiency=0.999', 'maxUserWastedPercent=1'])('%s', async (query) => {
    expect((await judge(`${query}&minWasteBytes=${WASTED}`)).pass).toBe(false)
    expect((await judge(`${query}&minWasteBytes=${WASTED + 1}`)).pass).toBe(true)
  })

  test('does not help a rule in bytes', async () => {
    expect((await judge('maxWasted=1&minWasteBytes=1GB')).pass).toBe(false)
  })
})

describe('ignored paths', () => {
  test('count as neither waste, duplicate nor denied', async () => {
    expect(await only(`maxWasted=${WASTED - 500}&ignore=var/cache/**`)).toMatchObject({ pass: true })
    expect(await only('maxDuplicated=1000&ignore=app/tool')).toMatchObject({ actual: 40 })
    expect(await only('maxDuplicated=1000&ignore=usr/lib/**&ignore=usr/bin/**')).toMatchObject({ actual: 0 })
    expect(await only('denyShown=app/**&ignore=app/.git/**&ignore=app/tool')).toMatchObject({ actual: 3 })
  })

  test("are left out of dive's figures", async () => {
    const everything =
      'maxWasted=0&maxDuplicated=0&maxWastedPercent=0&minEfficiency=1&maxUserWastedPercent=0&deny=**&ignore=**'
    expect((await judge(everything)).pass).toBe(true)
    const { actual } = await only('minEfficiency=0&ignore=usr/**&ignore=var/cache/**')
    // The log, twice, and the app's four files.
    expect(actual).toBe((60 + 175) / (60 + 70 + 175))
  })

  test('do not change sizes and counts', async () => {
    expect(await only('maxSize=0&ignore=**')).toMatchObject({ actual: 30_720 })
    expect(await only('maxFiles=0&ignore=**')).toMatchObject({ actual: 9 })
  })
})

describe('a base image', () => {
  const base = (layers: number) => ({ baseImage: gateImage('base', layers) })

  test('is blamed for what it hid itself, not for what this image hid', async () => {
    expect(await only('maxWasted=0&baseImage=b', base(1))).toMatchObject({ actual: WASTED })
    expect(await only('maxWasted=0&baseImage=b', base(2))).toMatchObject({
      actual: WASTE.packages + WASTE.log,
    })
    expect(await only('maxWasted=0&baseImage=b', base(3))).toMatchObject({ actual: 0, pass: true })
  })

  test('keeps its own duplicates, but a copy of its files counts against this image', async () => {
    expect(await only('maxDuplicated=0&baseImage=b', base(1))).toMatchObject({
      actual: 120 + 20,
      evidence: [
        { path: 'app/tool', bytes: 120 },
        { path: 'app/a', bytes: 20 },
      ],
    })
    expect(await only('maxDuplicated=0&baseImage=b', base(3))).toMatchObject({ actual: 0 })
  })

  test("has its part of dive's figures", async () => {
    expect(await only('minEfficiency=1&baseImage=b', base(3))).toMatchObject({ pass: true, actual: 1 })
    expect(await only('maxUserWastedPercent=0&baseImage=b', base(3))).toMatchObject({
      pass: true,
      actual: null,
    })
    // The packages and the log of the base, which the last layer removed and replaced, and that layer's own files.
    expect(await only('minEfficiency=1&baseImage=b', base(2))).toMatchObject({
      actual: (60 + 175) / (500 + 60 + 70 + 175),
    })
  })

  test('does not affect rules about the whole image', async () => {
    const { rules } = await judge('maxSize=0&maxLayers=0&maxFiles=0&deny=usr/bin/tool&baseImage=b', base(2))
    expect(rules.map(({ actual }) => actual)).toEqual([30_720, 3, 9, 1])
  })

  test('that does not match the image is refused', async () => {
    const other = { ...gateImage('other', 2), diffIds: ['sha256:other', digestOf('layer 1')] }
    const about = (error: unknown) => error
    expect(await judge('maxLayers=9&baseImage=b', { baseImage: other }).catch(about)).toMatchObject({
      code: 'not_based_on',
      status: 422,
    })
  })
})

describe('growth', () => {
  const baselineOf = (bytes: number) => ({
    baseline: {
      ...gateImage('before', 2),
      manifest: {
        ...image.manifest,
        layers: bytes === 0 ? [] : [{ mediaType: 'layer', digest: digestOf('layer 0'), size: bytes }],
      },
      facts: { ...emptyFacts, size: { ...emptyFacts.size, uncompressedBytes: bytes } },
    },
  })

  test.each(['maxGrowth', 'maxCompressedGrowth'])('%s', async (rule) => {
    expect(await only(`${rule}=720&baseline=b`, baselineOf(30_000))).toMatchObject({
      pass: true,
      actual: 720,
    })
    expect(await only(`${rule}=719&baseline=b`, baselineOf(30_000))).toMatchObject({
      pass: false,
      actual: 720,
      evidence: [{ layer: 2, bytes: 10_240 }],
    })
    expect(await only(`${rule}=2.4%25&baseline=b`, baselineOf(30_000))).toMatchObject({
      pass: true,
      actual: 2.4,
    })
    expect(await only(`${rule}=2.39%25&baseline=b`, baselineOf(30_000))).toMatchObject({ pass: false })
    expect(await only(`${rule}=0&baseline=b`, baselineOf(40_000))).toMatchObject({
      pass: true,
      actual: -9_280,
    })
    expect(await only(`${rule}=0%25&baseline=b`, baselineOf(40_000))).toMatchObject({
      pass: true,
      actual: -23.2,
    })
  })

  test('from nothing passes only without growth', async () => {
    expect(await only('maxGrowth=1000%25&baseline=b', baselineOf(0))).toMatchObject({
      pass: false,
      actual: null,
    })
    const empty = { ...gateImage('empty', 0, emptyFacts) }
    expect(await only('maxGrowth=0%25&baseline=b', { ...baselineOf(0), image: empty })).toMatchObject({
      pass: true,
      actual: 0,
    })
  })

  test('names the baseline', async () => {
    expect(await judge('maxGrowth=1MB&baseline=b', baselineOf(1))).toMatchObject({
      baseline: { reference: 'example.com/before:latest' },
    })
  })
})

test('growth over many images is since the oldest of them', async () => {
  const oldest = { name: 'v1', compressedBytes: 30_000, diffIds: image.diffIds.slice(0, 2) }
  const earlier = { count: 5, oldest }
  expect(await only('maxGrowthOver=720B/5', { earlier })).toMatchObject({ pass: true, actual: 720 })
  expect(await only('maxGrowthOver=2.39%25/5', { earlier })).toMatchObject({
    pass: false,
    actual: 2.4,
    message:
      'Since v1, 5 images ago, the compressed size went from 30.0 kB to 30.7 kB (+720 B, 2.40%), over the limit of 2.39%.',
    evidence: [{ layer: 2, bytes: 10_240 }],
  })
  expect(await only('maxGrowthOver=0B/5', { earlier: { count: 1, oldest } })).toMatchObject({
    message:
      'Since v1, the image before, the compressed size grew by 720 B, from 30.0 kB to 30.7 kB, over the limit of 0 B.',
  })
  expect(await only('maxGrowthOver=0%25/5', { earlier: { count: 0 } })).toMatchObject({
    pass: true,
    actual: null,
  })
})

test('each rule says in a sentence what it found', async () => {
  const query =
    'maxCompressed=30719&maxSize=1MB&maxWastedPercent=10&maxLayers=2&minEfficiency=0.9&deny=**/key' +
    '&maxUserWastedPercent=0.5&maxGrowth=1kB&maxCompressedGrowth=1%25&minWasteBytes=1kB&baseline=b'
  const baseline = gateImage('before', 2, {
    ...emptyFacts,
    size: { ...emptyFacts.size, uncompressedBytes: 30_000 },
  })
  const { rules } = await judge(query, { baseline })
  expect(rules.map(({ rule, message }) => `${rule}: ${message}`).join('\n')).toMatchInlineSnapshot(`
    "maxCompressed: The compressed size is 30,720 B, over the limit of 30,719 B.
    maxSize: The uncompressed size is 30.7 kB, within the limit of 1.00 MB.
    maxWastedPercent: The waste is 60.0% (667 B of 1.11 kB in files), over the limit of 10%. It passes anyway: less than 1.00 kB is wasted.
    maxLayers: There are 3 layers, over the limit of 2.
    minEfficiency: The efficiency is 0.3732, below the limit of 0.9. It passes anyway: less than 1.00 kB is wasted.
    maxUserWastedPercent: dive's wasted bytes are 92.6% of what the layers above the first hold, over the limit of 0.5%. It passes anyway: less than 1.00 kB is wasted.
    deny: 1 stored path matches **/key.
    maxGrowth: The uncompressed size grew by 720 B, from 30.0 kB to 30.7 kB, within the limit of 1.00 kB.
    maxCompressedGrowth: The compressed size went from 20.5 kB to 30.7 kB (+10.2 kB, 50.0%), over the limit of 1%."
  `)
})

test('an image without bytes wastes nothing', async () => {
  const empty = { image: gateImage('empty', 1, emptyFacts) }
  expect(await only('maxWastedPercent=0', empty)).toMatchObject({ pass: true, actual: 0 })
  expect(await only('maxUserWastedPercent=0', empty)).toMatchObject({ pass: true, actual: null })
})

test('rules that the manifest can answer need no analysis', async () => {
  const { pass } = await evaluate(policyFromQuery(new URLSearchParams('maxCompressed=1&maxLayers=1'), []), {
    image: gateImage('app', 3),
  })
  expect(pass).toBe(false)
})

describe('.dive-ci', () => {
  const dive = async (text: string) => {
    const policy: Policy = policyFromDiveCi(text)
    return evaluate(policy, subject)
  }

  test("fails and passes as dive does, under dive's names", async () => {
    const { score, wastedBytes, wastedUserRatio = 0 } = image.facts?.efficiency ?? emptyFacts.efficiency
    const exact = `rules: {lowestEfficiency: ${score}, highestWastedBytes: ${wastedBytes}, highestUserWastedPercent: ${Math.min(wastedUserRatio, 1)}}`
    expect(await dive(exact)).toMatchObject({
      pass: true,
      rules: [
        { rule: 'lowestEfficiency', limit: score, actual: score, unit: 'ratio' },
        { rule: 'highestWastedBytes', limit: wastedBytes, actual: wastedBytes, unit: 'bytes' },
        { rule: 'highestUserWastedPercent', actual: wastedUserRatio, unit: 'ratio' },
      ],
    })
    const { rules } = await dive(
      `rules: {lowestEfficiency: 1, highestWastedBytes: ${wastedBytes - 1}, highestUserWastedPercent: 0}`,
    )
    expect(rules.map(({ pass }) => pass)).toEqual([false, false, false])
    expect((await dive('')).pass).toBe(score >= 0.9 && wastedUserRatio <= 0.1)
  })
})
