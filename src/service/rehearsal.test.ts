import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { compiledWasm } from '../../workers/wasm.ts'
import type { Fetch } from '../host.ts'
import { rehearsalService, rehearseAnalysis, type Stage } from './rehearsal.ts'
import { registryInMemory, rehearsalImage } from './rehearsal-image.ts'

async function setStage(signal = new AbortController().signal) {
  const image = await rehearsalImage(2)
  const inMemory = registryInMemory(image)
  /** Digests in answered requests. */
  const read: string[] = []
  const fetch: Fetch = async (url, init, reach) => {
    const answer = await inMemory(url, init, reach)
    read.push(url.pathname.split('/').at(-1) ?? '')
    return answer
  }
  const stage: Stage = {
    registry: 'rehearsal.invalid',
    digest: image.digest,
    fetch,
    wasm: compiledWasm(),
    signal,
  }
  return { stage, image, read }
}

it('reads all of the image each time', async () => {
  const { stage, image, read } = await setStage()
  expect(image.blobs.size).toBe(6)
  for (let round = 0; round < 2; round++) {
    read.length = 0
    await rehearseAnalysis(stage)
    expect(read.toSorted()).toEqual([...image.blobs.keys()].toSorted())
  }
})

it('reads no further layer when it has been ended, and logs nothing', async () => {
  const log = vi.spyOn(console, 'error')
  const ended = new AbortController()
  const { stage, image, read } = await setStage(ended.signal)
  const isLayer = (digest: string) => image.blobs.get(digest)?.mediaType.endsWith('gzip') ?? false
  const fetch: Fetch = async (url, init, reach) => {
    const answer = await stage.fetch(url, init, reach)
    if (read.some(isLayer)) ended.abort()
    return answer
  }
  await expect(rehearseAnalysis({ ...stage, fetch })).rejects.toMatchObject({ name: 'AbortError' })
  await sleep(500)
  expect(read.filter(isLayer).length).toBe(1)
  expect(log).not.toHaveBeenCalled()
})

it('knows no settings but its registry', async () => {
  vi.stubEnv('LAMINA_CREDENTIALS', JSON.stringify({ auths: { 'rehearsal.invalid': { auth: btoa('a:b') } } }))
  const { stage } = await setStage()
  const { configuration } = rehearsalService(stage).host
  vi.unstubAllEnvs()
  expect(configuration).toMatchObject({
    credentials: new Map(),
    mirrors: new Map(),
    tokens: [],
    privateRegistries: ['rehearsal.invalid'],
  })
})
