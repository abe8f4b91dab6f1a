/** The GitLab component's cache: what a branch stores decides about no other branch's image. */
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'

const Job = z.object({
  variables: z.object({ XDG_CACHE_HOME: z.string() }),
  cache: z.strictObject({ key: z.string(), paths: z.array(z.string()) }),
})

const component = await readFile(new URL('image-gate.yml', import.meta.url), 'utf8')
const [, jobs] = parseAllDocuments(component)
const [job] = z.array(Job).parse(Object.values(jobs?.toJS()))

/** What GitLab makes of the key. */
function keyFor(branch: string, isProtected: 'true' | 'false'): string | undefined {
  const variables = new Map([
    ['CI_COMMIT_REF_SLUG', branch],
    ['CI_COMMIT_REF_PROTECTED', isProtected],
  ])
  return job?.cache.key.replace(/\$(\w+)/g, (_, name) => variables.get(name) ?? '')
}

it('no two branches share one', () => {
  const keys = [
    keyFor('main', 'true'),
    keyFor('feature', 'false'),
    keyFor('other', 'false'),
    // A branch that anybody may push to, with the name of one that is protected later.
    keyFor('main', 'false'),
  ]
  expect(new Set(keys).size).toBe(keys.length)
})

it('all that the command keeps is in it', () => {
  expect(job?.variables.XDG_CACHE_HOME).toBe('$CI_PROJECT_DIR/.cache')
  expect(job?.cache.paths).toEqual(['.cache/lamina'])
})
