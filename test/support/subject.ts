/** Images that are analysed under bad conditions, and what must still be true of the answer and the store. */
import { hash } from 'node:crypto'
import { expect } from 'vitest'
import type { ObjectStore } from '../../src/host.ts'
import { imageKey, layerKey } from '../../src/index/keys.ts'
import type { FixtureRegistry } from '../registry/fixture.ts'
import { type Answer, ask } from './ask.ts'
import { makeImage, makeLayer, type TestImage } from './images.ts'
import { keysOf, type Stored, storedIndex } from './stored.ts'

export type Subject = { readonly reference: string; readonly image: TestImage }

/** A service and its store. */
export type Served = { readonly url: string; readonly store: ObjectStore }

/**
 * A package database of this many packages exceeds one part of an upload even when compressed, so it is streamed into the
 * store while the layer is read.
 */
export const MANY_PACKAGES = 1_200
const FEW_PACKAGES = 10

let made = 0

/** A new image: a layer with a package database, then one with a few hundred files. */
export async function newSubject(registry: FixtureRegistry, packages = FEW_PACKAGES): Promise<Subject> {
  const seed = made++
  const files = Array.from({ length: 500 }, (_, i) => ({ name: `usr/${i}`, content: `${seed}-${i % 50}` }))
  const image = makeImage([
    await makeLayer([{ name: 'var/lib/dpkg/status', content: packageDatabase(seed, packages) }]),
    await makeLayer(files),
  ])
  return { reference: registry.push(`app-${seed}`, 'v1', image), image }
}

function packageDatabase(seed: number, packages: number): string {
  const paragraphs = Array.from({ length: packages }, (_, i) => {
    const noise = Array.from({ length: 70 }, (_, n) => hash('sha512', `${seed} ${i} ${n}`, 'base64')).join('')
    return `Package: p${i}\nStatus: install ok installed\nArchitecture: all\nVersion: 1\nDescription: ${noise}\n`
  })
  return paragraphs.join('\n')
}

// biome-ignore lint/suspicious/noExplicitAny: each test states what it expects of a body
export function reportOf(url: string, { reference }: Subject): Promise<Answer<any>> {
  return ask(url, '/v1/report', { query: { image: reference, wait: 60 } })
}

/** The path of the image's tag at its registry. */
export function manifestPath({ reference }: Subject): RegExp {
  const [, repository = '', tag = ''] = /\/(.+):(.+)$/.exec(reference) ?? []
  return new RegExp(`/${repository}/manifests/${tag}$`)
}

/** The path of a layer's blob at its registry. */
export function blobPath({ image }: Subject, layer: number): RegExp {
  return new RegExp(`blobs/${image.layers[layer]?.descriptor.digest}`)
}

/** What a store has of an image. */
function indexOf(store: ObjectStore, { image }: Subject): Promise<Stored> {
  const layers = image.layers.map(({ descriptor }) => layerKey(descriptor.digest, 'entries.parquet'))
  const keys = [imageKey(image.descriptor.digest, 'packages.parquet'), ...layers]
  return storedIndex(
    store,
    keys.map((key) => key.replace(/[^/]+$/, '')),
  )
}

/** The answer is right, and so is everything stored; nothing else is left. */
export async function expectWhole({ url, store }: Served, healthy: Served, subject: Subject): Promise<void> {
  const answer = await reportOf(url, subject)
  const right = await reportOf(healthy.url, subject)
  expect(right.status).toBe(200)
  expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: right.body })
  expect(await indexOf(store, subject)).toEqual(await indexOf(healthy.store, subject))
  expect(await keysOf(store, 'temporary/')).toEqual([])
}

/** Parts of the image may be stored, but each object is complete, and none vouches for others that are missing. */
export async function expectNothingWrong(
  store: ObjectStore,
  healthy: Served,
  subject: Subject,
): Promise<void> {
  expect((await reportOf(healthy.url, subject)).status).toBe(200)
  const right = await indexOf(healthy.store, subject)
  const stored = await indexOf(store, subject)
  expect(right).toMatchObject(stored)
  for (const key of Object.keys(stored).filter((name) => /(entries|packages)\.parquet$/.test(name))) {
    const folder = key.slice(0, key.lastIndexOf('/') + 1)
    const verified = (index: Stored) =>
      Object.keys(index).filter((name) => name.startsWith(folder) && !name.endsWith('/public'))
    expect(verified(stored)).toEqual(verified(right))
  }
}
