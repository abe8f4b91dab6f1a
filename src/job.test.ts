import { expect, it } from 'vitest'
import { type Job, jobKey, type LayerJob } from './job.ts'
import type { RegistryRef } from './oci/source-ref.ts'

const source: RegistryRef = { kind: 'registry', registry: 'r.example', repository: 'a' }
const layer: LayerJob = {
  kind: 'layer',
  source,
  image: 'sha256:1',
  descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: 'sha256:2', size: 10 },
}

const same = (other: Partial<LayerJob>) => jobKey({ ...layer, ...other }) === jobKey(layer)

it('a layer is read only once for all images and repositories of a registry', () => {
  expect(same({ image: 'sha256:3' })).toBe(true)
  expect(same({ source: { ...source, repository: 'b' } })).toBe(true)
  expect(same({ source: { ...source, registry: 'other.example' } })).toBe(false)
})

it('a manifest that describes a layer differently does not affect how others read it', () => {
  expect(same({ descriptor: { ...layer.descriptor, size: 11 } })).toBe(false)
  expect(same({ descriptor: { ...layer.descriptor, urls: ['https://slow.example/'] } })).toBe(false)
  const encrypted = `${layer.descriptor.mediaType}+encrypted`
  expect(same({ descriptor: { ...layer.descriptor, mediaType: encrypted } })).toBe(false)
  expect(same({ descriptor: { ...layer.descriptor, mediaType: 'application/x-other' } })).toBe(true)
})

it('callers with different credentials share nothing', () => {
  const jobs: Job[] = [layer, { kind: 'image', source, digest: 'sha256:1' }]
  for (const job of jobs) {
    const credential = { username: 'u', password: 'p' }
    expect(jobKey({ ...job, source: { ...source, credential } })).not.toBe(jobKey(job))
  }
})
