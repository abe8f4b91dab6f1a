import { expect, test } from 'vitest'
import { imageKey, layerKey, provenanceKey } from './keys.ts'

const HEX = 'a1'.repeat(32)
const DIGEST = `sha256:${HEX}`

test('objects have the documented keys', () => {
  expect(provenanceKey('manifest', DIGEST, 'public')).toBe(`manifests/sha256/${HEX}/public`)
  expect(provenanceKey('config', DIGEST, 'public')).toBe(`configs/sha256/${HEX}/public`)
  expect(layerKey(DIGEST, 'entries.parquet')).toBe(`layers/v5/sha256/${HEX}/entries.parquet`)
  expect(imageKey(DIGEST, 'files.parquet')).toBe(`images/v6/sha256/${HEX}/files.parquet`)
  expect(provenanceKey('layer', DIGEST, 'localhost:5000')).toBe(`sources/sha256/${HEX}/localhost:5000`)
})

test.each([
  '',
  'sha256:',
  `sha256:${HEX.toUpperCase()}`,
  `sha256:${HEX}/..`,
  `sha512:${HEX}`,
  '../x',
  `${DIGEST}\n`,
  `${DIGEST}/toc/x`,
])('only a digest names an object, not %j', (digest) => {
  expect(() => layerKey(digest, 'entries.parquet')).toThrow('not a digest')
})
