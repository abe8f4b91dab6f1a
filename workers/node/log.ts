/** Structured logs: one line per request, one per job. They never contain headers or credentials. */
import pino from 'pino'
import type { Job, JobState } from '../../src/job.ts'
import { locationOf } from '../../src/oci/source-ref.ts'

export type Log = pino.Logger

export function createLog(level: string): Log {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime })
}

/** A job's line. It names the image's place, which contains no secret. */
export function logJob(log: Log, job: Job, state: JobState): void {
  const place = locationOf(job.source)
  const digest = job.kind === 'layer' ? job.descriptor.digest : job.digest
  const seconds = (Date.parse(state.finishedAt ?? '') - Date.parse(state.createdAt)) / 1000
  const { progress, status } = state
  const error = state.error === undefined ? {} : { code: state.error.code, detail: state.error.detail }
  log.info({ place, digest, status, seconds, ...progress, ...error }, `${job.kind} ${status}`)
}
