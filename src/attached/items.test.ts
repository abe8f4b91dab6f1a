import { expect, it } from 'vitest'
import type { Artifact } from '../oci/artifact.ts'
import { type AttachedManifest, draftsOf, finished, needsStatement } from './items.ts'

const LAYER = { mediaType: 'text/plain', digest: `sha256:${'1'.repeat(64)}`, size: 3 }

function manifest(artifact: Partial<Artifact>): AttachedManifest {
  return {
    artifact: { mediaType: 'application/x', layers: [LAYER], annotations: {}, ...artifact },
    digest: `sha256:${'2'.repeat(64)}`,
    bytes: 500,
    source: 'tag',
    subject: `sha256:${'3'.repeat(64)}`,
    platform: 'linux/amd64',
    byTag: undefined,
  }
}

const item = (artifact: Partial<Artifact>) =>
  draftsOf(manifest(artifact)).map((draft) => finished(draft, undefined))[0]

it("a layer's annotations win over the manifest's, and long ones are left out", () => {
  const annotations = { a: 'manifest', b: 'manifest', long: 'x'.repeat(1025) }
  const layers = [{ ...LAYER, annotations: { b: 'layer', least: 'x'.repeat(1024) } }]
  expect(item({ annotations, layers })?.annotations).toEqual({
    a: 'manifest',
    b: 'layer',
    least: 'x'.repeat(1024),
  })
})

it('all annotations of an item are at most 16 KiB', () => {
  const many = Array.from({ length: 100 }, (_, i) => [`name ${i}`, 'x'.repeat(1000)] as const)
  const { annotations = {} } = item({ annotations: Object.fromEntries(many) }) ?? {}
  expect(JSON.stringify(annotations).length).toBeLessThan(17 * 1024)
  expect(Object.keys(annotations)).toHaveLength(16)
})

it('a manifest without layers is an item itself', () => {
  expect(item({ layers: [] })).toMatchObject({
    mediaType: 'application/x',
    digest: `sha256:${'2'.repeat(64)}`,
    bytes: 500,
  })
})

it("the config's type is the artifact's unless it is an image's or the empty one", () => {
  expect(item({ configType: 'application/vnd.example' })?.artifactType).toBe('application/vnd.example')
  expect(item({ configType: 'application/vnd.example', artifactType: 'a/b' })?.artifactType).toBe('a/b')
  expect(item({ configType: 'application/vnd.oci.empty.v1+json' })?.artifactType).toBeUndefined()
  expect(item({ configType: 'application/vnd.oci.image.config.v1+json' })?.artifactType).toBeUndefined()
})

it('a statement is read only if nothing else says what it is, and if it is small', () => {
  const needs = (artifact: Partial<Artifact>) => draftsOf(manifest(artifact)).map(needsStatement)[0]
  const of = (mediaType: string, size = 3) => ({ layers: [{ ...LAYER, mediaType, size }] })
  expect(needs(of('application/vnd.in-toto+json'))).toBe(true)
  expect(needs(of('application/vnd.dsse.envelope.v1+json'))).toBe(true)
  expect(needs(of('application/vnd.dev.sigstore.bundle.v0.3+json'))).toBe(true)
  expect(needs(of('application/vnd.dev.sigstore.bundle+json;version=0.2'))).toBe(true)
  expect(needs(of('application/vnd.in-toto+json', 1024 * 1024 + 1))).toBe(false)
  expect(needs(of('text/plain'))).toBe(false)
  const annotations = { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' }
  expect(needs({ ...of('application/vnd.in-toto+json'), annotations })).toBe(false)
})
