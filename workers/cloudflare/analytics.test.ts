import { expect, it } from 'vitest'
import type { Job, JobState } from '../../src/job.ts'
import { type Analytics, countJob } from './analytics.ts'

const job: Job = {
  kind: 'image',
  source: { kind: 'registry', registry: 'secret.example', repository: 'hidden/app' },
  digest: `sha256:${'a'.repeat(64)}`,
}
const state: JobState = {
  status: 'failed',
  version: 9,
  place: 'secret.example/hidden/app',
  createdAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:02.500Z',
  progress: { layers: 8, layersDone: 7, layersReused: 5, bytes: 100, bytesDone: 90, waitedMilliseconds: 400 },
  error: { code: 'registry_error', detail: 'secret.example sent nothing' },
}

it('a point says what a job did, and names no image', () => {
  const points: Parameters<Analytics['writeDataPoint']>[0][] = []
  countJob({ writeDataPoint: (point) => points.push(point) }, job, state)
  expect(points).toEqual([
    { indexes: ['image'], blobs: ['failed', 'registry_error'], doubles: [2.5, 90, 8, 5, 0.4] },
  ])
})
