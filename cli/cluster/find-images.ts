/** Asks what the images of a cluster are: many in one question, and those that cannot be read by themselves. */
import { z } from 'zod'
import { problemBody } from '../../src/http/problems.ts'
import { formatReference, parseReference } from '../../src/oci/reference.ts'
import { Problem } from '../../src/problem.ts'
import { parseJson } from '../../src/text/json.ts'
import { type ApiCaller, send } from '../ask.ts'
import { Failure } from '../failure.ts'
import { failureOf } from '../problem.ts'
import type { FoundImage, ImageProblem } from './summary.ts'
import type { UsedImage } from './uses.ts'

/** Their addresses fit into a URL, and progress is seen. */
const AT_ONCE = 24
const MAX_IMAGES = 1_000
/** So many images that a registry did not give because it cannot be reached: it is not asked for the others. */
const MAX_FAILURES = 2

const sharing = z.object({
  images: z.array(
    z.object({
      image: z.object({ digest: z.string(), platform: z.string() }),
      compressedBytes: z.number(),
      layers: z.number(),
    }),
  ),
  layers: z.array(z.object({ digest: z.string(), compressedBytes: z.number(), images: z.array(z.number()) })),
})

const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  image: z.string(),
})

type Asked = { readonly image: string; readonly registry: string; readonly platform: string | undefined }

/** What identifies a question: what is read, and for which platform. */
function keyOf({ read, platform }: Pick<UsedImage, 'read' | 'platform'>): string {
  return JSON.stringify([read, platform])
}

/** The references of images, for credentials. */
export function referencesOf(used: readonly UsedImage[]): readonly string[] {
  return [...new Set(used.map(({ read }) => read))]
}

/**
 * @param platform of images whose platform is not known
 * @returns what an image is
 * @throws Failure `too_large` for too many images, before a registry is asked; if the service does not answer
 */
export async function findImages(
  caller: ApiCaller,
  used: readonly UsedImage[],
  platform: string | undefined,
): Promise<(image: UsedImage) => FoundImage> {
  const images = new Map(used.map((image) => [keyOf(image), image]))
  if (images.size > MAX_IMAGES)
    throw new Failure('too_large', `the objects use ${images.size} images; at most ${MAX_IMAGES} are read`)
  const found = new Map<string, FoundImage>()
  const groups = new Map<string, Map<string, Asked>>()
  for (const [key, image] of images) {
    const on = image.platform ?? platform
    const asked = askedFor(image.read, on)
    if ('problem' in asked) found.set(key, asked)
    else groups.set(on ?? '', (groups.get(on ?? '') ?? new Map()).set(key, asked))
  }
  const valid = [...groups.values()].reduce((count, group) => count + group.size, 0)
  const finder = new Finder(caller, (done) => caller.progress.showRead('images', { done, all: valid }))
  try {
    for (const group of groups.values())
      for (const [key, one] of await finder.find(group)) found.set(key, one)
  } finally {
    caller.progress.clear()
  }
  return (image) => {
    const one = found.get(keyOf(image))
    if (one === undefined) throw new Error(`nothing is known about ${image.read}`)
    return one
  }
}

function askedFor(read: string, platform: string | undefined): Asked | { readonly problem: ImageProblem } {
  try {
    const reference = parseReference(read)
    return { image: formatReference(reference), registry: reference.registry, platform }
  } catch (error) {
    if (error instanceof Problem) return { problem: problemBody(error.with({ image: read })) }
    throw error
  }
}

class Finder {
  readonly #caller: ApiCaller
  readonly #onDone: (done: number) => void
  /** How often each registry could not be reached, with what it said last. */
  readonly #unreachable = new Map<string, { times: number; readonly problem: ImageProblem }>()
  #done = 0

  constructor(caller: ApiCaller, onDone: (done: number) => void) {
    this.#caller = caller
    this.#onDone = onDone
  }

  /** @param group images for one platform */
  async find(group: ReadonlyMap<string, Asked>): Promise<ReadonlyMap<string, FoundImage>> {
    const found = new Map<string, FoundImage>()
    const queue = [...group]
    while (queue.length > 0) {
      const some = new Map(queue.splice(0, AT_ONCE))
      for (const [key, one] of await this.#findSome(some)) found.set(key, one)
      this.#done += some.size
      this.#onDone(this.#done)
    }
    return found
  }

  /** An answer is about all of its images: one that cannot be read is left out, and the others are asked for again. */
  async #findSome(some: ReadonlyMap<string, Asked>): Promise<ReadonlyMap<string, FoundImage>> {
    const found = new Map<string, FoundImage>()
    const left = new Map(some)
    while (left.size > 0) {
      for (const [key, { registry }] of left) {
        const given = this.#unreachable.get(registry)
        if (given === undefined || given.times < MAX_FAILURES) continue
        found.set(key, { problem: given.problem })
        left.delete(key)
      }
      const asked = [...left]
      if (asked.length === 0) break
      const answer = await this.#ask(asked.map(([, one]) => one))
      if ('images' in answer) {
        for (const [place, [key]] of asked.entries()) found.set(key, imageAt(answer, place))
        break
      }
      for (const [key, { image, registry }] of asked) {
        if (image !== answer.image) continue
        found.set(key, { problem: answer.body })
        left.delete(key)
        if (answer.body.code !== 'registry_timeout' && answer.body.code !== 'registry_error') continue
        const times = (this.#unreachable.get(registry)?.times ?? 0) + 1
        this.#unreachable.set(registry, { times, problem: answer.body })
      }
    }
    return found
  }

  async #ask(
    asked: readonly Asked[],
  ): Promise<z.output<typeof sharing> | { readonly image: string; readonly body: ImageProblem }> {
    const query = new URLSearchParams()
    for (const { image } of asked) query.append('image', image)
    // A comparison needs two.
    if (asked.length === 1) query.append('image', asked[0]?.image ?? '')
    const platform = asked[0]?.platform
    if (platform !== undefined) query.set('platform', platform)
    const response = await send(this.#caller, { path: '/v1/shared', query, accept: 'application/json' })
    const text = await response.clone().text()
    if (response.status === 200) {
      const answer = sharing.safeParse(parseJson(text))
      if (answer.success) return answer.data
      throw new Failure('server_error', 'the service sent an answer that this version does not understand')
    }
    const found = problem.safeParse(parseJson(text)).data
    if (found === undefined || !asked.some(({ image }) => image === found.image))
      throw await failureOf(response, this.#caller.client.reader)
    return { image: found.image, body: problemOf(found) }
  }
}

/** As the API has it, without this question's own request. */
function problemOf({ type, title, status, detail, code, image }: z.output<typeof problem>): ImageProblem {
  return { type, title, status, detail, code, image }
}

function imageAt({ images, layers }: z.output<typeof sharing>, place: number): FoundImage {
  const one = images[place]
  if (one === undefined) throw new Failure('server_error', 'the service left out an image')
  const blobs = layers.filter((layer) => layer.images.includes(place))
  return {
    ...one.image,
    compressedBytes: one.compressedBytes,
    layers: one.layers,
    blobs: new Map(blobs.map(({ digest, compressedBytes }) => [digest, compressedBytes])),
  }
}
