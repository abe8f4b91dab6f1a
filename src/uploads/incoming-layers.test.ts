import { afterEach, expect, it } from 'vitest'
import { startApp } from '../../test/support/app.ts'
import { incomingPrefix } from '../index/keys.ts'
import { IncomingLayers } from './incoming-layers.ts'
import { PART_BYTES } from './upload-parts.ts'

const name = '0'.repeat(64)
const { service, store } = startApp()
const begun = () => [...store.objects.keys()].map((key) => key.slice(incomingPrefix(name).length))
const stops: (() => Promise<void>)[] = []

function incoming(): IncomingLayers {
  const layers = new IncomingLayers(service, { id: 'some', name })
  stops.push(() => layers.stop())
  return layers
}

function layer(hex: string, offset: number, size: number) {
  return { digest: `sha256:${hex.repeat(64)}`, offset, size, compression: 'gzip' as const }
}

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
  store.objects.clear()
})

it('the first bytes, which come at once, do not count as a fast upload', async () => {
  const layers = incoming()
  layers.see([layer('a', 512, 4 * PART_BYTES)], 64 * 1024)
  expect(begun()).toEqual([])
  layers.see([], 5 * PART_BYTES)
  await expect.poll(begun).toEqual([`${'a'.repeat(64)}-512-${4 * PART_BYTES}`])
})

it('a layer is begun when the part with its last byte is expected, which nobody can read before', async () => {
  const layers = incoming()
  layers.see([layer('b', 512, 1_000)], 2_000)
  expect(begun()).toEqual([])
  layers.see([], PART_BYTES)
  await expect.poll(begun).toEqual([`${'b'.repeat(64)}-512-1000`])
})
