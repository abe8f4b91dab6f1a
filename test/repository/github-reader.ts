/** GitHub's own parser of workflows, bundled, since its modules name files that Node does not find. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

/** @returns what is wrong with a workflow */
export async function githubReader(): Promise<(content: string) => Promise<readonly string[]>> {
  const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await load()
  return async (content) => {
    const { context, value } = parseWorkflow({ name: 'workflow.yml', content }, new NoOperationTraceWriter())
    const template = value === undefined ? undefined : await convertWorkflowTemplate(context, value)
    const errors = template?.errors?.map(({ Message }) => Message) ?? []
    return [...context.errors.getErrors().map(({ message }) => message), ...errors]
  }
}

async function load(): Promise<typeof import('@actions/workflow-parser')> {
  const folder = await mkdtemp(join(tmpdir(), 'lamina-github-'))
  try {
    const outfile = join(folder, 'reader.cjs')
    await build({ entryPoints: ['@actions/workflow-parser'], bundle: true, platform: 'node', outfile })
    return createRequire(import.meta.url)(outfile)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
