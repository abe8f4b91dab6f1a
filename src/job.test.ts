import { expect, it, onTestFinished, vi } from 'vitest'
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

it('the work of another version of the stored formats is another job', async () => {
  onTestFinished(() => {
    vi.doUnmock('./stored-formats.ts')
    vi.resetModules()
  })
  const image: Job = { kind: 'image', source, digest: 'sha256:1' }
  const keysWith = async (formats: { LAYER_FORMAT: string; IMAGE_FORMAT: string }) => {
    vi.resetModules()
    vi.doMock('./stored-formats.ts', () => formats)
    const { jobKey } = await import('./job.ts')
    return { layer: jobKey(layer), image: jobKey(image) }
  }
  const now = await keysWith({ LAYER_FORMAT: 'v4', IMAGE_FORMAT: 'v3' })
  const otherImages = await keysWith({ LAYER_FORMAT: 'v4', IMAGE_FORMAT: 'v4' })
  const otherLayers = await keysWith({ LAYER_FORMAT: 'v5', IMAGE_FORMAT: 'v3' })
  expect(otherImages.layer).toBe(now.layer)
  expect(otherLayers.layer).not.toBe(now.layer)
  expect(new Set([now.image, otherImages.image, otherLayers.image]).size).toBe(3)
})
