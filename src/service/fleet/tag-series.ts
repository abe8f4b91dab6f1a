/** The images of a repository that form a series: the newest of some tags, one after the other. */
import { Problem } from '../../problem.ts'
import { compileGlobs } from '../../text/glob.ts'
import { compareNames } from '../../text/natural-order.ts'
import type { SkippedTag } from '../../update/series.ts'
import type { RepositoryImages, TaggedImage } from './repository-images.ts'

export type SeriesQuestion = {
  readonly images: RepositoryImages
  /** Globs, in the order of the series; all tags by default, but not those of attached artifacts. */
  readonly tags: readonly string[] | undefined
  readonly sort: 'name' | 'created'
  /** How many images at most. */
  readonly last: number
}

export type ChosenTags = {
  /** Oldest first; no two neighbours are the same image. */
  readonly names: readonly string[]
  /** Tags that are no image of the platform, in the order in which they were read. */
  readonly skipped: readonly SkippedTag[]
}

/** More named tags than this are refused. */
const MAX_NAMES = 30
/** How many tags are read in search of images. */
const MAX_READ = 1_000
const ATTACHED = /^sha256-/
const GLOB = /[*?[{]/

type Image = Exclude<TaggedImage, { readonly problem: Problem }>

/**
 * @throws Problem `invalid_parameter` for too many names, or too many tags to sort; what listing or reading the repository fails
 *   with
 */
export async function chooseTags({ images, tags, sort, last }: SeriesQuestion): Promise<ChosenTags> {
  const areNames = tags?.every((tag) => !GLOB.test(tag)) ?? false
  const names = await candidates(images, tags, areNames)
  const most = areNames ? MAX_NAMES : last
  if (sort === 'name') return newest(names, most, (some) => images.read(some))
  if (names.length > MAX_READ) {
    const detail = `sort=created reads the config of each tag, at most ${MAX_READ}; ${names.length} match: filter with tag, or use sort=name`
    throw new Problem('invalid_parameter', detail, { parameter: 'sort' })
  }
  const items = await images.read(names)
  const byName = new Map(items.map((item) => [item.name, item]))
  const sorted = items.toSorted(byTime).map(({ name }) => name)
  return newest(sorted, most, async (some) => some.flatMap((name) => byName.get(name) ?? []))
}

async function candidates(
  images: RepositoryImages,
  tags: readonly string[] | undefined,
  areNames: boolean,
): Promise<readonly string[]> {
  if (tags === undefined) return (await images.names()).filter((name) => !ATTACHED.test(name))
  const unique = [...new Set(tags)]
  if (areNames) {
    if (unique.length <= MAX_NAMES) return unique
    throw new Problem('invalid_parameter', `tag may name at most ${MAX_NAMES} tags`, { parameter: 'tag' })
  }
  const all = await images.names()
  return [...new Set(unique.flatMap((tag) => (GLOB.test(tag) ? all.filter(compileGlobs([tag])) : [tag])))]
}

/** Reads from the end, as far as needed. */
async function newest(
  names: readonly string[],
  most: number,
  read: (names: readonly string[]) => Promise<readonly TaggedImage[]>,
): Promise<ChosenTags> {
  const chosen: Image[] = []
  const skipped: SkippedTag[] = []
  let end = names.length
  const start = Math.max(0, end - MAX_READ)
  while (end > start) {
    const begin = Math.max(start, end - Math.max(most - chosen.length, 1))
    const items = await read(names.slice(begin, end))
    end = begin
    for (const item of items.toReversed()) {
      if ('problem' in item) skipped.push(item)
      // Of neighbours that are one image the first name counts.
      else if (chosen[0]?.digest === item.digest) chosen[0] = item
      else if (chosen.length < most) chosen.unshift(item)
      else return { names: chosen.map(({ name }) => name), skipped }
    }
  }
  return { names: chosen.map(({ name }) => name), skipped }
}

/** Oldest first, then by name. */
function byTime(a: TaggedImage, b: TaggedImage): number {
  return timeOf(a) - timeOf(b) || compareNames(a.name, b.name)
}

function timeOf(item: TaggedImage): number {
  return 'problem' in item ? 0 : Date.parse(item.created ?? '') || 0
}
