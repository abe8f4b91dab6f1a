/** The parameters of what a repository stores, which the endpoint and the page share. */
import { z } from '@hono/zod-openapi'
import { Problem } from '../problem.ts'
import type { Deletion } from '../storage/storage.ts'
import { STORAGE_SORTS } from '../storage/storage.ts'
import { compileGlobs } from '../text/glob.ts'
import { integer, reference, repeatable } from './parameters.ts'

const MAX_KEEP = 10_000

export const storageQuery = {
  repository: reference('As for `docker pull`, without tag or digest.', 'alpine'),
  tag: repeatable('Only tags that match one of these globs; not with `delete` or `keep`.').optional(),
  delete: repeatable('Says what deleting the tags that match one of these globs frees.').optional(),
  keep: integer(
    { min: 1, max: MAX_KEEP },
    'How many of the newest images stay, each with all its tags: of those that `delete` matches, or of all.',
  ).optional(),
  sort: z.enum(STORAGE_SORTS).default('-uniqueBytes').openapi({
    description: 'Largest first; `created`: newest first; `name`: `v9` before `v10`.',
  }),
}

export type StorageAsked = {
  readonly tag?: readonly string[] | undefined
  readonly delete?: readonly string[] | undefined
  readonly keep?: number | undefined
}

/**
 * What is to be deleted; undefined if nothing is.
 *
 * @throws Problem `invalid_parameter` for invalid globs, and for a deletion from a part of the tags
 */
export function deletionOf({ tag, delete: globs, keep }: StorageAsked): Deletion | undefined {
  if (tag !== undefined) compiled('tag', tag)
  if (globs === undefined && keep === undefined) return undefined
  if (tag !== undefined) {
    const parameter = globs === undefined ? 'keep' : 'delete'
    const detail = `${parameter} does not go with tag: the tags that tag leaves out may need the same layers`
    throw new Problem('invalid_parameter', detail, { parameter })
  }
  return { matches: globs === undefined ? () => true : compiled('delete', globs), keep }
}

function compiled(parameter: string, globs: readonly string[]): (name: string) => boolean {
  if (globs.includes('')) throw new Problem('invalid_parameter', `${parameter} is empty`, { parameter })
  try {
    return compileGlobs(globs)
  } catch (error) {
    throw error instanceof Problem ? error.with({ parameter }) : error
  }
}
