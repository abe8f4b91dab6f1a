import { expect, test } from 'vitest'
import { pathWithoutUploadId, withoutUploadId } from './upload-ids.ts'

test.each([
  'upload:SECRET',
  ' upload:SECRET',
  'Upload:SECRET',
  'upload:SECRET:v1',
  'docker://upload:SECRET@sha256:0',
])('the image %j is logged without the ID', (reference) => {
  expect(withoutUploadId(reference)).not.toContain('SECRET')
})

test.each([
  '/v1/uploads/SECRET',
  '/v1/uploads/SECRET/',
  '/v1/uploads//SECRET',
  '/v1/uploads/SECRET/parts/3',
  '/v1/uploads/SECRET/complete',
  '/files/upload:SECRET',
  '/files/upload%3ASECRET',
])('the path %s is logged without the ID', (path) => {
  expect(pathWithoutUploadId(path)).not.toContain('SECRET')
})

test('others are logged as they are', () => {
  expect(withoutUploadId('ghcr.io/uploads/app:v1')).toBe('ghcr.io/uploads/app:v1')
  expect(pathWithoutUploadId('/v1/uploads')).toBe('/v1/uploads')
  expect(pathWithoutUploadId('/v1/report')).toBe('/v1/report')
})
