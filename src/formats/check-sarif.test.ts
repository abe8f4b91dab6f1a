import { createRequire } from 'node:module'
import Ajv from 'ajv-draft-04'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { HOSTILE_NAMES, hostile, passing, rebuilt, styleOf, verdict } from '../../test/support/verdicts.ts'
import { checkSarif } from './check-sarif.ts'
import { visible } from './escape.ts'

/** The schema of OASIS, as Microsoft's matchers ship it. */
const schema: object = createRequire(import.meta.url)(
  '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json',
)
const ajv = new Ajv.default({ strict: false, allErrors: true, unicodeRegExp: false })
addFormats.default(ajv)
const isSarif = ajv.compile(schema)

const log = z.object({
  version: z.literal('2.1.0'),
  runs: z.tuple([
    z.object({
      automationDetails: z.object({ id: z.string() }),
      tool: z.object({ driver: z.object({ rules: z.array(z.object({ id: z.string() })) }) }),
      results: z.array(
        z.object({
          ruleId: z.string(),
          ruleIndex: z.number(),
          message: z.object({ text: z.string() }),
          locations: z.tuple([
            z.object({
              physicalLocation: z.object({
                artifactLocation: z.object({ uri: z.string() }),
                region: z.object({ startLine: z.number() }),
              }),
            }),
          ]),
          partialFingerprints: z.record(z.string(), z.string()),
        }),
      ),
    }),
  ]),
})

function run(text: string) {
  const parsed: unknown = JSON.parse(text)
  isSarif(parsed)
  expect(isSarif.errors ?? []).toEqual([])
  return log.parse(parsed).runs[0]
}

test('a result for each failing rule, located at the file', () => {
  const { results, tool } = run(checkSarif({ verdict }, styleOf('docker/My File.Dockerfile')))
  expect(tool.driver.rules.map(({ id }) => id)).toEqual([
    'maxSize',
    'maxUserWastedPercent',
    'minEfficiency',
    'deny',
  ])
  expect(results.map(({ ruleId }) => ruleId)).toEqual(['maxSize', 'deny'])
  expect(results.map(({ ruleIndex }) => tool.driver.rules[ruleIndex]?.id)).toEqual(['maxSize', 'deny'])
  expect(results[0]?.message.text).toBe(
    'The uncompressed size is 240 MB, over the limit of 1.00 kB.\n- layer 1 (180 MB)\n- layer 0 (60.0 MB)',
  )
  expect(results[0]?.locations[0].physicalLocation).toEqual({
    artifactLocation: { uri: 'docker/My%20File.Dockerfile' },
    region: { startLine: 1 },
  })
})

test('a passing check has no result', () => {
  expect(run(checkSarif({ verdict: passing }, styleOf())).results).toEqual([])
})

test('fingerprints and category survive a rebuild and distinguish results', () => {
  const before = run(checkSarif({ verdict }, styleOf()))
  const after = run(checkSarif({ verdict: rebuilt }, styleOf()))
  const prints = before.results.map(({ partialFingerprints }) => partialFingerprints)
  expect(after.results.map(({ partialFingerprints }) => partialFingerprints)).toEqual(prints)
  expect(after.automationDetails).toEqual(before.automationDetails)
  const elsewhere = run(checkSarif({ verdict }, styleOf('other/Dockerfile'))).results
  const all = [...prints, ...elsewhere.map(({ partialFingerprints }) => partialFingerprints)]
  expect(new Set(all.map((print) => print.primaryLocationLineHash)).size).toBe(4)
})

test('hostile names are text without links or invisible characters', () => {
  const { results } = run(checkSarif({ verdict: hostile }, styleOf()))
  const sentences = results.map(({ message }) => message.text.split('\n')[0] ?? '')
  expect(sentences.map((text) => text.replaceAll(/\\([[\]\\])/g, '$1'))).toEqual(
    HOSTILE_NAMES.map((name) => `3 paths match ${visible(name)}.`),
  )
  for (const { message } of results) {
    expect(message.text.replaceAll(/\\./g, '')).not.toMatch(/[[\]]/)
    expect(visible(message.text.replaceAll('\n', ''))).toBe(message.text.replaceAll('\n', ''))
  }
})
