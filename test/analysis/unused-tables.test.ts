/** `read=toc` where a table of contents is not used: a warning says so, in every form of the report. */
import { beforeAll, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp } from '../support/app.ts'
import { FORMS, makeChunkedLayer } from '../support/chunked.ts'
import { makeImage, makeLayer } from '../support/images.ts'

let registry: FixtureRegistry

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  return () => registry.close()
})

const UNUSED = { code: 'tableNotUsed', count: 1, layer: 0 }
const TOLD = 'tableNotUsed 1, first in layer 0'

const { ask } = startApp()

function report(image: string, query: Record<string, string>): Promise<Response> {
  return ask(`/v1/report?${new URLSearchParams({ image, wait: '60', ...query })}`)
}

async function readingOf(image: string, query: Record<string, string>) {
  const { image: about, warnings } = await (await report(image, query)).json()
  return { verified: about.verified, warnings }
}

it.each(FORMS)('%s', async (form) => {
  const repository = form.replace(':', '-')

  const layer = await makeChunkedLayer(form, [{ name: 'a', content: form }])
  const first = registry.push(repository, 'first', makeImage([layer]))
  expect(await readingOf(first, {})).toEqual({ verified: 'content', warnings: [] })
  // The content of the shared layer is known, so nobody reads its table.
  const own = await makeLayer([{ name: 'own', content: form }])
  const second = registry.push(repository, 'second', makeImage([layer, own]))
  expect(await readingOf(second, { read: 'toc' })).toEqual({ verified: 'content', warnings: [UNUSED] })
  for (const format of ['text', 'markdown'])
    expect(await (await report(second, { read: 'toc', format })).text()).toContain(TOLD)

  const unsaid = await makeChunkedLayer(form, [{ name: '\ufffd', content: form }])
  const third = registry.push(repository, 'third', makeImage([unsaid]))
  expect(await readingOf(third, { read: 'toc' })).toEqual({ verified: 'content', warnings: [UNUSED] })
})
