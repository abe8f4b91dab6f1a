import { describe, expect, it } from 'vitest'
import { parseStoredConfig, parseStoredManifest } from './stored-manifest.ts'

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const parse = (value: unknown, mediaType?: string) => parseStoredManifest(bytes(value), mediaType)
const blob = (digest: string, size: unknown = 1, more: object = {}) => ({
  mediaType: 'x',
  digest,
  size,
  ...more,
})

describe('what a manifest makes a registry store', () => {
  it('is its config and its layers, but no layer that other servers have', () => {
    const config = blob('c', 5, { mediaType: 'application/vnd.oci.image.config.v1+json' })
    const layers = [blob('a', 7), blob('b', 9, { urls: ['https://example.com/b'] }), blob('a', 7)]
    expect(
      parse({
        config,
        layers,
        annotations: { 'org.opencontainers.image.created': '2024-01-01T02:00:00+02:00' },
      }),
    ).toEqual({
      manifests: [],
      blobs: [
        { digest: 'c', size: 5 },
        { digest: 'a', size: 7 },
        { digest: 'a', size: 7 },
      ],
      config,
      created: '2024-01-01T00:00:00.000Z',
    })
  })

  it('is the same for an artifact, whose config is no image', () => {
    expect(parse({ artifactType: 'x', config: blob('c'), layers: [blob('a')] }).config).toBeUndefined()
    expect(parse({ artifactType: 'x', blobs: [blob('a', 3)] }).blobs).toEqual([{ digest: 'a', size: 3 }])
  })

  it('are the manifests of an index', () => {
    const platform = { os: 'linux', architecture: 'amd64' }
    expect(parse({ manifests: [blob('a', 1, { platform }), blob('b')] }).manifests).toEqual([
      { mediaType: 'x', digest: 'a', size: 1, platform },
      { mediaType: 'x', digest: 'b', size: 1 },
    ])
  })

  it.each([
    ['a negative size', { config: blob('c'), layers: [blob('a', -5)] }, 'invalid_image'],
    ['a size as text', { config: blob('c'), layers: [blob('a', '5')] }, 'invalid_image'],
    ['half a byte', { config: blob('c'), layers: [blob('a', 1.5)] }, 'invalid_image'],
    ['schema 1', { schemaVersion: 1, fsLayers: [] }, 'not_an_image'],
    ['nothing', {}, 'invalid_image'],
    ['too many manifests', { manifests: Array.from({ length: 1_025 }, () => blob('a')) }, 'invalid_image'],
    ['too many values', { layers: Array.from({ length: 100_001 }, () => 1) }, 'too_large'],
  ])('is refused for %s', (_, document, code) => {
    expect(() => parse(document)).toThrow(expect.objectContaining({ code }))
  })

  it('is refused if it is not JSON', () => {
    expect(() => parseStoredManifest(new TextEncoder().encode('<html>'))).toThrow('not JSON')
  })
})

it('a config says its platform and time, anything else says nothing', () => {
  expect(
    parseStoredConfig(bytes({ os: 'linux', architecture: 'arm64', created: '2024-01-01T00:00:00Z' })),
  ).toEqual({
    platform: 'linux/arm64',
    created: '2024-01-01T00:00:00Z',
  })
  expect(parseStoredConfig(bytes({ created: 'yesterday' }))).toEqual({})
  expect(parseStoredConfig(bytes([1]))).toEqual({})
  expect(parseStoredConfig(new TextEncoder().encode('text'))).toEqual({})
})
