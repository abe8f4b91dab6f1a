/** What a user writes with only `openapi.yaml`; `api.d.ts` is what openapi-typescript generates from it. */
import createClient from 'openapi-fetch'
import type { components, paths } from './api.d.ts'

type Analysis = components['schemas']['Analysis']

export type Journey = {
  readonly status: Analysis['status']
  readonly digest: string
  readonly compressedBytes: number
  readonly paths: readonly string[]
  readonly added: number
  readonly failing: readonly string[]
  readonly problem: string | undefined
}

/**
 * Follows an analysis, reads its report and files, compares it, checks it against rules, and requests something that does
 * not exist.
 */
export async function travel(baseUrl: string, before: string, after: string): Promise<Journey> {
  const client = createClient<paths, `application/${string}json`>({ baseUrl })
  const started = await client.POST('/v1/analyses', { body: { image: after } })
  if (started.data === undefined || 'items' in started.data) throw new Error('no analysis of one image')
  const analysis = await finished(started.data)
  const report = await client.GET('/v1/report', { params: { query: { image: after, wait: 60 } } })
  if (report.data === undefined || !('size' in report.data)) throw new Error('no report')
  const diff = await client.GET('/v1/diff', { params: { query: { from: before, to: after, wait: 60 } } })
  if (diff.data === undefined || !('files' in diff.data)) throw new Error('no diff')
  const check = await client.GET('/v1/check', {
    params: { query: { image: after, maxLayers: '1', maxFiles: '100', deny: ['**/*.key'] } },
  })
  const missing = await client.GET('/v1/report', { params: { query: { image: `${after}-not` } } })
  return {
    status: analysis.status,
    digest: report.data.image.digest,
    compressedBytes: report.data.size.compressedBytes,
    paths: await allPaths(),
    added: diff.data.files.counts.added,
    failing: failingRules(check.error),
    problem: missing.error?.code,
  }

  async function finished(analysis: Analysis | undefined): Promise<Analysis> {
    if (analysis === undefined) throw new Error('no analysis')
    if (analysis.status === 'succeeded' || analysis.status === 'failed') return analysis
    await new Promise((resolve) => setTimeout(resolve, 100))
    const { data } = await client.GET('/v1/analyses/{id}', { params: { path: { id: analysis.id } } })
    return finished(data)
  }

  async function allPaths(): Promise<string[]> {
    const found: string[] = []
    let cursor: string | undefined
    do {
      const query = { image: after, limit: 2, ...(cursor === undefined ? {} : { cursor }) }
      const { data } = await client.GET('/v1/files', { params: { query } })
      if (data === undefined || !('items' in data)) throw new Error('no files')
      found.push(...data.items.map(({ path }) => path))
      cursor = data.nextCursor
    } while (cursor !== undefined)
    return found
  }
}

/** Other formats are text. */
type Refusal = components['schemas']['Verdict'] | components['schemas']['Problem'] | string

function failingRules(refusal: Refusal | undefined): string[] {
  if (typeof refusal !== 'object' || !('rules' in refusal)) return []
  return refusal.rules.filter(({ pass }) => !pass).map(({ rule }) => rule)
}
