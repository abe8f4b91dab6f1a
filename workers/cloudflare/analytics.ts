/** What a deployed Worker counts, since it has no `/metrics`: a point in Analytics Engine for each job that ends. */
import type { Job, JobState } from '../../src/job.ts'

/** The part of Analytics Engine's binding that is used. */
export type Analytics = {
  writeDataPoint(point: {
    readonly indexes: readonly [string]
    readonly blobs: readonly string[]
    readonly doubles: readonly number[]
  }): void
}

/** Names no image: the kind of job, how it ended, and how much it did. docs/deploy.md has the columns. */
export function countJob(analytics: Analytics | undefined, { kind }: Job, state: JobState): void {
  const { status, error, createdAt, finishedAt = createdAt, progress } = state
  const seconds = (Date.parse(finishedAt) - Date.parse(createdAt)) / 1000
  const { layers, layersReused, bytesDone, waitedMilliseconds = 0 } = progress
  analytics?.writeDataPoint({
    indexes: [kind],
    blobs: [status, error?.code ?? ''],
    doubles: [seconds, bytesDone, layers, layersReused, waitedMilliseconds / 1000],
  })
}
