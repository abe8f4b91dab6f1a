/** Notes on a merge request of GitLab. Source: GitLab's REST API, "Notes", "Users". */
import { z } from 'zod'
import type { Environment } from './github.ts'
import type { Comments } from './keep.ts'
import { call, type Forge, findInPages } from './rest.ts'

const userSchema = z.object({ id: z.int() })
const notesSchema = z.array(z.object({ id: z.int(), body: z.string(), author: userSchema }))

/** Undefined unless the job is for a merge request. @param token may write notes, which a job's own may not */
export function mergeRequestComments(
  env: Environment,
  token: string,
  signal: AbortSignal,
): Comments | undefined {
  const { CI_API_V4_URL: url, CI_MERGE_REQUEST_IID: number } = env
  const project = env.CI_MERGE_REQUEST_PROJECT_ID || env.CI_PROJECT_ID
  if (!url || !number || !project) return undefined
  const forge: Forge = { name: 'GitLab', url, headers: { 'private-token': token }, signal }
  const notes = `/projects/${encodeURIComponent(project)}/merge_requests/${encodeURIComponent(number)}/notes`
  return {
    async find(mark) {
      // Anybody else could have put the mark into a note.
      const { id: self } = userSchema.parse(await call(forge, { method: 'GET', path: '/user' }))
      return findInPages(forge, `${notes}?order_by=created_at&sort=asc`, (page) => {
        const all = notesSchema.parse(page)
        const ours = all.find(({ body, author }) => author.id === self && body.trimEnd().endsWith(mark))
        return { found: ours && String(ours.id), length: all.length }
      })
    },
    async create(body) {
      await call(forge, { method: 'POST', path: notes, body: { body } })
    },
    async update(id, body) {
      await call(forge, { method: 'PUT', path: `${notes}/${id}`, body: { body } })
    },
  }
}
