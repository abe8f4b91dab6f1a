import { expect, it } from 'vitest'
import { type KindFacts, kindOf } from './kinds.ts'

const NOTHING: KindFacts = {
  predicateType: undefined,
  bundleContent: undefined,
  mediaType: 'text/plain',
  artifactType: undefined,
  byTag: undefined,
}

it.each([
  ['https://spdx.dev/Document', 'sbom'],
  ['https://spdx.dev/Document/v2.3', 'sbom'],
  ['https://spdx.dev/Documents', 'other'],
  ['https://cyclonedx.org/bom', 'sbom'],
  ['https://slsa.dev/provenance/v0.2', 'provenance'],
  ['https://slsa.dev/verification_summary/v1', 'other'],
  ['https://sigstore.dev/cosign/sign/v1', 'signature'],
  ['https://openvex.dev/ns/v0.2.0', 'vex'],
  ['https://in-toto.io/attestation/vulns/v0.1', 'vulnerabilities'],
])('the predicate %s is of the kind %s, whatever else is said', (predicateType, kind) => {
  const facts = { ...NOTHING, predicateType, mediaType: 'application/spdx+json', byTag: 'signature' } as const
  expect(kindOf(facts)).toBe(kind)
})

it.each([
  ['application/spdx+json', 'sbom'],
  ['application/vnd.CycloneDX+xml', 'sbom'],
  ['application/vnd.syft+json', 'sbom'],
  ['application/vnd.dev.cosign.simplesigning.v1+json', 'signature'],
  ['application/cose', 'signature'],
  ['application/sarif+json', 'vulnerabilities'],
  ['application/vnd.openvex+json', 'vex'],
  ['application/vnd.in-toto.provenance+dsse', 'provenance'],
  ['text/plain', 'other'],
])('%s is the media type of a %s, and as well the type of an artifact', (type, kind) => {
  expect(kindOf({ ...NOTHING, mediaType: type })).toBe(kind)
  expect(kindOf({ ...NOTHING, artifactType: type })).toBe(kind)
})

it('the first that says a kind decides: bundle, media type, artifact, tag', () => {
  const all = {
    ...NOTHING,
    bundleContent: 'message-signature',
    mediaType: 'application/spdx+json',
    artifactType: 'application/vnd.openvex+json',
    byTag: 'sbom',
  } as const
  expect(kindOf(all)).toBe('signature')
  expect(kindOf({ ...all, bundleContent: 'dsse-envelope' })).toBe('sbom')
  expect(kindOf({ ...all, bundleContent: undefined, mediaType: 'text/plain' })).toBe('vex')
  expect(kindOf({ ...NOTHING, byTag: 'signature' })).toBe('signature')
})
