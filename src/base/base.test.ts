import { expect, it } from 'vitest'
import { namedIn, targetOf } from '../oci/base-names.ts'
import { type ImageConfig, parseConfig } from '../oci/config.ts'
import { variantsOf } from './alternatives.ts'
import { chainIds, isBeginning, layersBeforePause } from './layers.ts'
import { imagesOfProvenance } from './provenance.ts'

const sha = (digit: string) => `sha256:${digit.repeat(64)}`
const [A, B, C] = [sha('a'), sha('b'), sha('c')]
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

it('a base is the beginning of the layers, or all of them', () => {
  expect(isBeginning([A], [A, B])).toBe(true)
  expect(isBeginning([A, B], [A, B])).toBe(true)
  expect(isBeginning([A, B, C], [A, B])).toBe(false)
  expect(isBeginning([B], [A, B])).toBe(false)
  expect(isBeginning([], [A])).toBe(false)
})

it('chain IDs are those of the specification', () => {
  // echo -n 'sha256:aaa… sha256:bbb…' | sha256sum
  expect(chainIds([A, B])).toEqual([
    A,
    'sha256:ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c',
  ])
})

it('a name without a tag is the latest, and a digest without a name names nothing', () => {
  expect(namedIn({ 'org.opencontainers.image.base.digest': A })).toBeUndefined()
  expect(targetOf({ evidence: 'label', name: 'alpine' })).toEqual({
    opened: 'docker://docker.io/library/alpine:latest',
    reference: 'docker.io/library/alpine:latest',
    tagged: { registry: 'docker.io', repository: 'library/alpine', tag: 'latest' },
  })
})

it('a name is opened by its digest, else by its tag', () => {
  const named = { evidence: 'annotation', name: 'h:1/a:1' } as const
  expect(targetOf({ ...named, digest: A })).toMatchObject({
    opened: `docker://h:1/a@${A}`,
    otherwise: 'docker://h:1/a:1',
  })
  expect(targetOf({ ...named, digest: 'sha256:beef' })).toMatchObject({
    opened: 'docker://h:1/a:1',
    reference: 'h:1/a:1',
  })
  expect(targetOf({ ...named, name: `h:1/a@${A}` })).toEqual({
    opened: `docker://h:1/a@${A}`,
    reference: `h:1/a@${A}`,
  })
})

it.each(['oci-archive:/etc/passwd', 'user:secret@h:1/a', '<img src=x>', 'h:1/a\n::error::x'])(
  '%j is no name',
  (name) => {
    expect(() => targetOf({ evidence: 'annotation', name })).toThrow(
      expect.objectContaining({ code: 'invalid_reference' }),
    )
  },
)

it.each(['docker-daemon:app', 'upload:AAAAAAAAAAAAAAAAAAAAAA', 'oci:5000/etc'])(
  'an image that names %s names a registry, no other transport',
  (name) => {
    expect(targetOf({ evidence: 'annotation', name }).opened).toMatch(/^docker:\/\/(?:docker\.io|oci:5000)\//)
  },
)

it('provenance names the images that have a sha256', () => {
  const uri = 'pkg:docker/127.0.0.1%3A5000/python@3.13'
  const materials = [
    { uri: `${uri}?platform=linux%2Famd64`, digest: { sha256: 'a'.repeat(64) } },
    { uri: `${uri}?digest=${B}` },
    { uri: `pkg:docker/alpine@${C}` },
    { uri, digest: { sha256: 'zz' } },
    { uri: 'pkg:docker/%ZZ', digest: { sha256: 'a'.repeat(64) } },
    { uri: 'https://example.com/x.git#main', digest: { sha256: 'a'.repeat(64) } },
    null,
    { uri: 1 },
  ]
  const named = [
    { evidence: 'provenance', name: '127.0.0.1:5000/python:3.13', digest: A },
    { evidence: 'provenance', name: '127.0.0.1:5000/python:3.13', digest: B },
    { evidence: 'provenance', name: `alpine@${C}`, digest: C },
  ]
  const v02 = { predicateType: 'https://slsa.dev/provenance/v0.2', predicate: { materials } }
  const v1 = {
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: { buildDefinition: { resolvedDependencies: materials } },
  }
  expect(imagesOfProvenance(bytes(v02))).toEqual(named)
  expect(imagesOfProvenance(bytes(v1))).toEqual(named)
  expect(imagesOfProvenance(bytes({ ...v02, predicateType: 'https://spdx.dev/Document' }))).toEqual([])
  expect(imagesOfProvenance(bytes([]))).toEqual([])
})

it('alternatives are other variants of the same version, released ones only', () => {
  const tags = [
    '3.13-slim',
    '3.13',
    '3.130-slim',
    '3.12',
    '3.13-rc-slim',
    '3.13-rc1',
    '3.13-alpine3.9',
    '3.13-slim-trixie',
    '3.13-devel',
    '3.13-alpine3.22',
  ]
  expect(variantsOf('3.13', tags)).toEqual([
    '3.13-alpine3.9',
    '3.13-alpine3.22',
    '3.13-devel',
    '3.13-slim',
    '3.13-slim-trixie',
  ])
  expect(variantsOf('3.13-slim', ['3.13'])).toEqual(['3.13'])
})

function history(
  steps: readonly (readonly [created: string, createdBy: string, empty?: 'empty'])[],
): ImageConfig {
  const layers = steps.filter(([, , empty]) => empty === undefined)
  return parseConfig(
    bytes({
      rootfs: { diff_ids: layers.map((_, i) => sha(String(i))) },
      history: steps.map(([created, created_by, empty]) => ({
        created,
        created_by,
        empty_layer: empty !== undefined,
      })),
    }),
  )
}

const ADD = ['2026-01-01T00:00:00Z', 'ADD rootfs /'] as const
const CMD = ['2026-01-01T00:00:01Z', '/bin/sh -c #(nop)  CMD ["bash"]', 'empty'] as const

it('a pause after a CMD is a guess at where the base ends', () => {
  const copy = (created: string) => [created, 'COPY . .'] as const
  expect(layersBeforePause(history([ADD, CMD, copy('2026-01-01T01:00:02Z')]))).toBe(1)
  expect(layersBeforePause(history([ADD, CMD, copy('2026-01-01T01:00:01Z')]))).toBeUndefined()
  expect(layersBeforePause(history([ADD, copy('2026-02-01T00:00:00Z')]))).toBeUndefined()
  expect(
    layersBeforePause(history([ADD, CMD, ['2026-02-01T00:00:00Z', 'LABEL a=b', 'empty']])),
  ).toBeUndefined()
  expect(
    layersBeforePause(
      history([ADD, ['2026-01-01T00:00:01Z', 'RUN echo CMD', 'empty'], copy('2026-02-01T00:00:00Z')]),
    ),
  ).toBeUndefined()
})
