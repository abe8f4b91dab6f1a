/** The images that a repository had before: what an image is compared with to see growth that no single build shows. */
import type { EarlierImages } from '../../gate/subject.ts'
import type { Service } from '../../open/service.ts'
import { Problem } from '../../problem.ts'
import { compileGlobs } from '../../text/glob.ts'
import { RepositoryImages, type RepositoryQuestion, type TaggedImage } from './repository-images.ts'

export type EarlierQuestion = Pick<
  RepositoryQuestion,
  'repository' | 'credentials' | 'platform' | 'signal'
> & {
  /** Globs of tags; none: all but those of attached artifacts. */
  readonly tags: readonly string[]
  /** How many of the newest. */
  readonly last: number
  /** Of the image itself, which is not one of them. */
  readonly digest: string
}

/** Each is read, to sort them by time. */
const MAX_TAGS = 1_000
const ATTACHED = /^sha256-/

type Image = Exclude<TaggedImage, { readonly problem: Problem }>

/** @throws Problem `invalid_parameter` for too many tags; what listing or reading the repository fails with */
export async function earlierImages(
  service: Service,
  { tags, last, digest, ...question }: EarlierQuestion,
): Promise<EarlierImages> {
  const tag = tags.length === 0 ? (name: string) => !ATTACHED.test(name) : compileGlobs(tags)
  const images = new RepositoryImages(service, { ...question, tag, sort: 'created' })
  const { length } = await images.names()
  if (length > MAX_TAGS) {
    const detail = `maxGrowthOver reads each tag, at most ${MAX_TAGS}; ${length} match: choose some with historyTag`
    throw new Problem('invalid_parameter', detail, { parameter: 'historyTag' })
  }
  const others = (await images.newest(MAX_TAGS)).filter(
    (item): item is Image => !('problem' in item) && item.digest !== digest,
  )
  const builds = others.filter((item, i) => item.digest !== others[i + 1]?.digest).slice(-last)
  const [oldest] = builds
  return {
    count: builds.length,
    ...(oldest && {
      oldest: {
        name: oldest.name,
        compressedBytes: oldest.compressedBytes,
        diffIds: oldest.stored.map(({ diffId }) => diffId),
      },
    }),
  }
}
