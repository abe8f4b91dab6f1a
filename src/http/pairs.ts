/** Two images as parameters, and opened. */

import { allOf } from '../concurrency.ts'
import type { Pair } from '../service/diff.ts'
import type { OpenedImage } from '../service/open.ts'
import { openFor } from './answers.ts'
import type { Backend, RequestContext } from './backend.ts'
import { platform, reference, waitUpTo } from './parameters.ts'

/** What every call about two images takes. */
export const pairQuery = {
  from: reference('Reference of the first image.', 'alpine:3.19'),
  to: reference('Reference of the second image.', 'alpine:3.20'),
  fromPlatform: platform.openapi({
    description: 'Platform of the first image, `linux/amd64` by default.',
  }),
  toPlatform: platform.openapi({
    description: 'Platform of the second image, `linux/amd64` by default.',
  }),
  wait: waitUpTo(0),
}

export type PairQuery = {
  readonly from: string
  readonly to: string
  readonly fromPlatform?: string | undefined
  readonly toPlatform?: string | undefined
  readonly wait: number
}

export async function openPair(
  backend: Backend,
  context: RequestContext,
  query: PairQuery,
): Promise<Pair<OpenedImage>> {
  const references = [query.from, query.to]
  const [from, to] = await allOf([
    openFor(backend, context, { image: query.from, platform: query.fromPlatform }, references),
    openFor(backend, context, { image: query.to, platform: query.toPlatform }, references),
  ])
  return { from, to }
}
