import { expect, it } from 'vitest'
import { startApp } from '../../test/app.ts'
import { rehearse } from './rehearsal.ts'
import { rehearsalArchive } from './rehearsal-archive.ts'
import { receiveUpload } from './upload.ts'

it('has a little of everything that makes work', async () => {
  const { service, ask } = startApp()
  const { id } = await receiveUpload(service, new Blob([Buffer.from(rehearsalArchive())]).stream())
  const report = await (await ask(`/v1/report?wait=60&image=upload:${id}`)).json()
  expect(report.packages.byType).toEqual({ deb: 24, npm: 24 })
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

it('leaves the store of the service untouched', async () => {
  const { service, store } = startApp()
  await rehearse(service)
  expect([store.objects.size, store.reads]).toEqual([0, 0])
})

it('really reads layers', async () => {
  const { service } = startApp({ LAMINA_MAX_ENTRIES: '400' })
  await expect(rehearse(service)).rejects.toThrow('the image has more than 400 members')
})
