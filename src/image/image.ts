/**
 * What the store keeps about an analysed image besides its tables: its facts, or the reason why the analysis failed.
 */
import { z } from 'zod'
import type { ObjectStore } from '../host.ts'
import { imageKey } from '../index/keys.ts'
import type { ProblemDocument } from '../problem.ts'
import { parseJson } from '../text/json.ts'
import type { ImageFacts } from './report.ts'

/** Written last, so that its presence means that the tables are whole. */
export type StoredImage = { readonly facts: ImageFacts } | { readonly failure: ProblemDocument }

/** Written by this service, in this version of the format. */
const isObject = (value: unknown) => typeof value === 'object' && value !== null
const stored: z.ZodType<StoredImage> = z.union([
  z.object({ facts: z.custom<ImageFacts>(isObject) }),
  z.object({ failure: z.custom<ProblemDocument>(isObject) }),
])

/** Undefined if the image is not analysed, or what is stored makes no sense. */
export async function readImageFacts(store: ObjectStore, digest: string): Promise<StoredImage | undefined> {
  const object = await store.get(imageKey(digest, 'image.json'))
  if (object === undefined) return undefined
  const text = await new Response(object.body).text()
  const image = stored.safeParse(parseJson(text)).data
  if (image === undefined || 'failure' in image) return image
  // Facts that were stored before tables of contents were read are all of contents.
  const layers = image.facts.layers.map((layer) => ({ ...layer, verified: layer.verified ?? 'content' }))
  return { facts: { ...image.facts, layers } }
}

export async function writeStoredImage(
  store: ObjectStore,
  digest: string,
  image: StoredImage,
): Promise<void> {
  await store.put(imageKey(digest, 'image.json'), new TextEncoder().encode(JSON.stringify(image)))
}
