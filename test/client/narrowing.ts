/** What a user writes with the client that oazapfts generates from `openapi.yaml`: the status narrows the type of `data`. */
import { checkImage, defaults, getDiff, getReport } from './oazapfts.ts'

export type Answers = {
  readonly compressedBytes: number
  readonly delta: number
  readonly failing: readonly string[]
  readonly missing: string
}

export async function ask(baseUrl: string, before: string, after: string): Promise<Answers> {
  defaults.baseUrl = baseUrl
  const report = await getReport(after, { wait: 60 })
  if (report.status !== 200) throw new Error(`no report: ${report.status}`)
  const diff = await getDiff(before, after, { wait: 60 })
  if (diff.status === 202) throw new Error(`the analysis is ${diff.data.status}`)
  if (diff.status !== 200) throw new Error(diff.data.detail)
  const check = await checkImage(after, { maxLayers: '1', deny: ['**/*.key'] })
  const rules = check.status === 200 || check.status === 412 ? check.data.rules : []
  const missing = await getReport(`${after}-not`)
  return {
    compressedBytes: report.data.size.compressedBytes,
    delta: diff.data.size.compressedBytes.delta,
    failing: rules.filter(({ pass }) => !pass).map(({ rule }) => rule),
    missing: missing.status === 404 ? missing.data.code : '',
  }
}
