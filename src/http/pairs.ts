/** Pairs of images: their parameters, opening them, and answers about them. */

import { allOf } from '../concurrency.ts'
import type { OpenedImage, Reading } from '../open/open-image.ts'
import type { AnalysedImage } from '../service/images/analyse.ts'
import type { Pair } from '../service/images/diff.ts'
import { answerSubject, type Form, imageSubject, openFor, type Subject } from './answers.ts'
import type { Backend, RequestContext } from './backend.ts'
import { answerListOf, type Listed, type ListForm, openPinned } from './lists.ts'
import { platform, read, reference, waitUpTo } from './parameters.ts'

/** Parameters of every call about two images. */
export const pairQuery = {
  from: reference('Reference of the first image.', 'alpine:3.19'),
  to: reference('Reference of the second image.', 'alpine:3.20'),
  fromPlatform: platform.openapi({
    description: '`linux/amd64` by default.',
  }),
  toPlatform: platform.openapi({
    description: '`linux/amd64` by default.',
  }),
  read,
  wait: waitUpTo(0),
}

export type PairQuery = {
  readonly from: string
  readonly to: string
  readonly fromPlatform?: string | undefined
  readonly toPlatform?: string | undefined
  readonly read?: Reading | undefined
  readonly wait: number
}

/** @param pins names of the two indexes; by default those that the references name now */
export async function openPair(
  backend: Backend,
  context: RequestContext,
  query: PairQuery,
  pins?: readonly string[],
): Promise<Pair<OpenedImage>> {
  const references = [query.from, query.to]
  const open = (image: string, platform: string | undefined, digest: string | undefined) =>
    pins === undefined
      ? openFor(backend, context, { image, platform, read: query.read }, references)
      : openPinned(backend, context, { reference: image, index: digest, references })
  const [from, to] = await allOf([
    open(query.from, query.fromPlatform, pins?.[0]),
    open(query.to, query.toPlatform, pins?.[1]),
  ])
  return { from, to }
}

/** Two images, analysed at the same time. */
export async function pairSubject(
  backend: Backend,
  context: RequestContext,
  query: PairQuery,
  pins?: readonly string[],
): Promise<Subject<Pair<AnalysedImage>>> {
  const images = await openPair(backend, context, query, pins)
  const [first, second] = [
    imageSubject(backend, context, images.from),
    imageSubject(backend, context, images.to),
  ]
  return {
    images: [images.from, images.to],
    analyse: async (wait) => {
      const [from, to] = await allOf([first.analyse(wait), second.analyse(wait)])
      if ('pending' in from) return from
      if ('pending' in to) return to
      return { analysed: { from: from.analysed, to: to.analysed } }
    },
  }
}

/** {@link answerSubject} for two images. */
export async function answerPair(
  backend: Backend,
  context: RequestContext,
  { query, form }: { readonly query: PairQuery; readonly form: Form },
  make: (analysed: Pair<AnalysedImage>) => Promise<BodyInit> | BodyInit,
): Promise<Response> {
  const subject = await pairSubject(backend, context, query)
  return answerSubject(backend, context, { subject, wait: query.wait, form }, make)
}

type PairListQuery = PairQuery & {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** {@link answerListOf} for two images. */
export function answerPairList<Item extends object>(
  backend: Backend,
  context: RequestContext,
  { query, form }: { readonly query: PairListQuery; readonly form: ListForm<Item> },
  list: (analysed: Pair<AnalysedImage>) => Promise<Listed<Item>>,
): Promise<Response> {
  const open = (pins?: readonly string[]) => pairSubject(backend, context, query, pins)
  return answerListOf(backend, context, { query, form, open, list })
}
