/** Turns an analysis into the JSON that the API answers, with links to its results. */
import type { z } from '@hono/zod-openapi'
import { Problem } from '../problem.ts'
import type { Analysis } from '../service/images/analyses.ts'
import { problemBody } from './problems.ts'
import type { analysisSchema } from './routes/analyses.schema.ts'

export type AnalysisBody = z.infer<typeof analysisSchema>

export function locationOf(id: string): string {
  return `/v1/analyses/${id}`
}

/** An analysis as an answer. */
export function analysisBody(analysis: Analysis): AnalysisBody {
  const { error, id, image, platform, digest, status, createdAt, finishedAt, progress, read } = analysis
  const query = new URLSearchParams({ image, platform, ...(read === undefined ? {} : { read }) })
  return {
    id,
    image,
    platform,
    digest,
    status,
    createdAt,
    ...(finishedAt === undefined ? {} : { finishedAt }),
    progress: progressBody(progress),
    ...(error === undefined ? {} : { error: errorBody(error) }),
    links: {
      self: locationOf(id),
      events: `${locationOf(id)}/events`,
      report: `/v1/report?${query}`,
      files: `/v1/files?${query}`,
    },
  }
}

function progressBody({ reading, waiting, ...sums }: Analysis['progress']): AnalysisBody['progress'] {
  if (reading === undefined || waiting === undefined) return sums
  return { ...sums, reading: [...reading], waiting: [...waiting] }
}

function errorBody(error: NonNullable<Analysis['error']>): AnalysisBody['error'] {
  const { platforms, ...body } = problemBody(Problem.from(error))
  return { ...body, ...(platforms === undefined ? {} : { platforms: [...platforms] }) }
}
