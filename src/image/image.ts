/**
 * What the store keeps about an analysed image besides its tables: its facts, or the reason why the analysis failed.
 */
import { z } from 'zod'
import type { ObjectStore } from '../host.ts'
import { imageKey } from '../index/keys.ts'
import { readSealed, seal } from '../index/sealed.ts'
import type { ProblemDocument } from '../problem.ts'
import type { ImageFacts } from './report.ts'

/** Written last, so that if it exists, the tables are complete. */
export type StoredImage = { readonly facts: ImageFacts } | { readonly failure: ProblemDocument }

/** Written by this service, in this version of the format. */
const isObject = (value: unknown) => typeof value === 'object' && value !== null
const stored: z.ZodType<StoredImage> = z.union([
  z.object({ facts: z.custom<ImageFacts>(isObject) }),
  z.object({ failure: z.custom<ProblemDocument>(isObject) }),
])

/** Undefined if the image is not analysed, or the stored data is damaged. */
export async function readImageFacts(store: ObjectStore, digest: string): Promise<StoredImage | undefined> {
  const image = stored.safeParse(await readSealed(store, imageKey(digest, 'image.json'))).data
  if (image === undefined || 'failure' in image) return image
  // Facts stored by versions without tables of contents all come from the content.
  const layers = image.facts.layers.map((layer) => ({ ...layer, verified: layer.verified ?? 'content' }))
  return { facts: { ...image.facts, layers } }
}

export async function writeStoredImage(
  store: ObjectStore,
  digest: string,
  image: StoredImage,
): Promise<void> {
  const key = imageKey(digest, 'image.json')
  await store.put(key, seal(key, image))
}
