import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf, jsonBytes, makeImage, makeIndex, makeLayer } from '../../test/support/images.ts'
import { Problem } from '../problem.ts'
import { manifestFigures } from './figures.ts'
import { isEncrypted, parseManifest } from './manifest.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const OCI = 'application/vnd.oci.image'
const DOCKER = 'application/vnd.docker'
const CONFIG = { mediaType: `${OCI}.config.v1+json`, digest: DIGEST, size: 2 }
const LAYER = { mediaType: `${OCI}.layer.v1.tar+gzip`, digest: DIGEST, size: 10 }

const image = (changes: object = {}) =>
  jsonBytes({
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: CONFIG,
    layers: [LAYER],
    ...changes,
  })

const problem = (code: string, text: string) =>
  expect.objectContaining({ code, permanent: true, message: expect.stringContaining(text) })

describe('an image', () => {
  it('has its config and its layers', () => {
    expect(parseManifest(image())).toEqual({
      kind: 'image',
      mediaType: `${OCI}.manifest.v1+json`,
      config: CONFIG,
      layers: [LAYER],
    })
  })

  it("is the same with Docker's media types", () => {
    const layer = { ...LAYER, mediaType: `${DOCKER}.image.rootfs.diff.tar.gzip` }
    const config = { ...CONFIG, mediaType: `${DOCKER}.container.image.v1+json` }
    const mediaType = `${DOCKER}.distribution.manifest.v2+json`
    expect(parseManifest(image({ mediaType, config, layers: [layer] }))).toEqual({
      kind: 'image',
      mediaType,
      config,
      layers: [layer],
    })
  })

  it('may have no layers, the same layer twice, or 127 layers', () => {
    expect(parseManifest(image({ layers: [] }))).toMatchObject({ layers: [] })
    expect(parseManifest(image({ layers: null }))).toMatchObject({ layers: [] })
    expect(parseManifest(image({ layers: [LAYER, LAYER] }))).toMatchObject({ layers: [LAYER, LAYER] })
    expect(parseManifest(image({ layers: Array(127).fill(LAYER) }))).toHaveProperty('layers.length', 127)
  })

  it('without a media type gets the registry’s, or the one that its shape implies', () => {
    const bytes = image({ mediaType: undefined })
    expect(parseManifest(bytes, `${DOCKER}.distribution.manifest.v2+json`).mediaType).toContain('docker')
    expect(parseManifest(bytes, 'text/plain').mediaType).toBe(`${OCI}.manifest.v1+json`)
    expect(parseManifest(bytes).mediaType).toBe(`${OCI}.manifest.v1+json`)
  })

  it('may have a config of the types that Docker once defaulted to', () => {
    for (const mediaType of ['application/octet-stream', '', undefined])
      expect(parseManifest(image({ config: { ...CONFIG, mediaType } }))).toMatchObject({ kind: 'image' })
  })

  it('the figures count a repeated layer twice', async () => {
    const layer = await makeLayer([{ name: 'a' }])
    const manifest = parseManifest(makeImage([layer, layer]).bytes)
    expect(manifest.kind === 'image' && manifestFigures(manifest)).toEqual({
      compressedBytes: 2 * layer.descriptor.size,
      layers: 2,
    })
  })

  it('may have encrypted layers, and foreign ones with their URLs', () => {
    const encrypted = { ...LAYER, mediaType: `${LAYER.mediaType}+encrypted` }
    const foreign = {
      ...LAYER,
      mediaType: `${DOCKER}.image.rootfs.foreign.diff.tar.gzip`,
      urls: ['https://x/'],
    }
    const manifest = parseManifest(image({ layers: [LAYER, encrypted, foreign] }))
    const layers = manifest.kind === 'image' ? manifest.layers : []
    expect(layers.map(isEncrypted)).toEqual([false, true, false])
    expect(layers[2]?.urls).toEqual(['https://x/'])
  })
})

describe('an index', () => {
  it('has its manifests with what it says about them', async () => {
    const one = makeImage([await makeLayer([{ name: 'a' }])])
    const platform = { os: 'linux', architecture: 'arm', variant: 'v7' }
    const annotations = { 'org.example': 'x' }
    const index = makeIndex([[one, { platform, annotations }], [one]])
    expect(parseManifest(index.bytes)).toEqual({
      kind: 'index',
      mediaType: `${OCI}.index.v1+json`,
      manifests: [{ ...one.descriptor, platform, annotations }, one.descriptor],
    })
  })

  it("may be Docker's manifest list, be empty, or have no media type", () => {
    const mediaType = `${DOCKER}.distribution.manifest.list.v2+json`
    expect(parseManifest(jsonBytes({ schemaVersion: 2, mediaType, manifests: [] }))).toMatchObject({
      kind: 'index',
    })
    expect(parseManifest(jsonBytes({ schemaVersion: 2, manifests: null }))).toMatchObject({ manifests: [] })
  })

  it('may list digests of other algorithms: only manifests that are read must be sha256', () => {
    const entry = { mediaType: `${OCI}.manifest.v1+json`, digest: `sha512:${'a'.repeat(128)}`, size: 1 }
    expect(parseManifest(jsonBytes({ schemaVersion: 2, manifests: [entry] }))).toMatchObject({
      manifests: [entry],
    })
  })
})

describe('artifacts that are not images are named for what they are', () => {
  const artifact = { ...CONFIG, mediaType: 'application/vnd.oci.empty.v1+json' }

  it.each([
    ['a Helm chart', image({ config: { ...CONFIG, mediaType: 'application/vnd.cncf.helm.config.v1+json' } })],
    ['a Docker plugin', image({ config: { ...CONFIG, mediaType: 'application/vnd.docker.plugin.v1+json' } })],
    [
      'artifact of the type "application/spdx+json"',
      image({ config: artifact, artifactType: 'application/spdx+json' }),
    ],
    ['"application/vnd.oci.empty.v1+json"', image({ config: artifact })],
    ['an attestation', image({ layers: [{ ...LAYER, mediaType: 'application/vnd.in-toto+json' }] })],
    ['an attestation', image({ artifactType: 'application/vnd.docker.attestation.manifest.v1+json' })],
    [
      'a signature',
      image({ layers: [{ ...LAYER, mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json' }] }),
    ],
    ['"text/html"', image({ layers: [LAYER, { ...LAYER, mediaType: 'text/html' }] })],
    ['schema 1', jsonBytes({ schemaVersion: 1, name: 'library/nginx', fsLayers: [] })],
    ['schema 1', jsonBytes({ mediaType: `${DOCKER}.distribution.manifest.v1+prettyjws` })],
    [
      'artifact.manifest',
      jsonBytes({ mediaType: 'application/vnd.oci.artifact.manifest.v1+json', blobs: [] }),
    ],
  ])('%s', (what, bytes) => {
    expect(() => parseManifest(bytes)).toThrow(problem('not_an_image', what))
  })

  it('recognises schema 1 even if only the registry says so', () => {
    const bytes = jsonBytes({ fsLayers: [] })
    expect(() => parseManifest(bytes, `${DOCKER}.distribution.manifest.v1+json`)).toThrow(
      problem('not_an_image', 'schema 1'),
    )
  })
})

describe('invalid manifests', () => {
  const wrong = (changes: object) => image({ layers: [LAYER, { ...LAYER, ...changes }] })

  it.each([
    ['not JSON', 'invalid_image', new TextEncoder().encode('<html>')],
    ['not JSON', 'invalid_image', new Uint8Array([0xff, 0xfe, 0x7b])],
    ['expected object', 'invalid_image', jsonBytes([1])],
    ['config', 'invalid_image', jsonBytes({})],
    ['config', 'invalid_image', image({ config: null })],
    ['layers', 'invalid_image', image({ layers: 'all' })],
    ['layers[1].size', 'invalid_image', wrong({ size: -1 })],
    ['layers[1].size', 'invalid_image', wrong({ size: 1.5 })],
    ['layers[1].size', 'invalid_image', wrong({ size: 2 ** 53 })],
    ['layers[1].size', 'invalid_image', wrong({ size: '10' })],
    ['layer 1', 'invalid_image', wrong({ digest: 'sha256:abc' })],
    ['layer 1', 'invalid_image', wrong({ digest: '../../../etc/passwd' })],
    ['layer 1', 'unsupported_digest', wrong({ digest: `sha512:${'a'.repeat(128)}` })],
    [
      'the config',
      'unsupported_digest',
      image({ config: { ...CONFIG, digest: `sha512:${'a'.repeat(128)}` } }),
    ],
    ['1025 layers', 'too_large', image({ layers: Array(1_025).fill(LAYER) })],
    ['image and an index at once', 'invalid_image', image({ manifests: [] })],
    ['its mediaType is', 'invalid_image', image({ mediaType: `${OCI}.index.v1+json` })],
    ['its mediaType is', 'invalid_image', jsonBytes({ mediaType: `${OCI}.manifest.v1+json`, manifests: [] })],
  ])('%s: %s', (what, code, bytes) => {
    expect(() => parseManifest(bytes)).toThrow(problem(code, what))
  })

  it('names with a meaning in JavaScript are just names', () => {
    const bytes = new TextEncoder().encode(
      `{"schemaVersion":2,"config":${JSON.stringify(CONFIG)},"layers":[{"mediaType":"${LAYER.mediaType}","digest":"${DIGEST}","size":1,"annotations":{"__proto__":"x","constructor":"y"}}],"__proto__":{"manifests":[]}}`,
    )
    expect(parseManifest(bytes)).toMatchObject({ kind: 'image' })
    expect({}).not.toHaveProperty('manifests')
  })
})

it('any JSON gives an image, an index, or a problem', () => {
  const members = fc.record(
    {
      schemaVersion: fc.anything(),
      mediaType: fc.oneof(
        fc.constant(`${OCI}.manifest.v1+json`),
        fc.constant(`${OCI}.index.v1+json`),
        fc.anything(),
      ),
      config: fc.oneof(fc.constant(CONFIG), fc.anything()),
      layers: fc.oneof(fc.array(fc.oneof(fc.constant(LAYER), fc.anything())), fc.anything()),
      manifests: fc.anything(),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(members, fc.jsonValue()), (value) => {
      try {
        expect(parseManifest(jsonBytes(value ?? null)).kind).toMatch(/^(?:image|index)$/)
      } catch (error) {
        expect(error).toBeInstanceOf(Problem)
      }
    }),
    { numRuns: process.env.LAMINA_LONG ? 20_000 : 500 },
  )
})

it("digestOf in the tests agrees with the product's", async () => {
  const { digestOf: ours } = await import('./digest.ts')
  expect(ours(image())).toBe(digestOf(image()))
})

it('refuses more values than any real manifest has before parsing', () => {
  const annotations = Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`key${i}`, '']))
  expect(() => parseManifest(image({ annotations }))).toThrow(
    expect.objectContaining({ code: 'too_large', permanent: true }),
  )
})
