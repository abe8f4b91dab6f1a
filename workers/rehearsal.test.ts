import { expect, it } from 'vitest'
import { rehearse } from './node/rehearsal.ts'
import { rehearseReport } from './rehearsal.ts'
import { compiledWasm } from './wasm.ts'

const { signal } = new AbortController()

it('is a whole report, of an image with a little of everything', async () => {
  const answers: Response[] = []
  await rehearse({ packages: 3, rounds: 2, wasm: compiledWasm(), signal }, async (stage) => {
    answers.push(await rehearseReport(stage))
  })
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  const report = await answers[0]?.json()
  expect(report.packages.byType).toEqual({ deb: 3, npm: 3 })
  expect(report.layers.length).toBe(4)
  expect(report.warnings.map(({ code }: { code: string }) => code)).toEqual(['whiteoutOfNothing'])
  for (const found of [
    report.waste.removed.files,
    report.waste.replaced.files,
    report.duplicates.groups,
    report.counts.symlinks,
    report.counts.entries - report.counts.paths,
  ])
    expect(found).toBeGreaterThan(0)
})
