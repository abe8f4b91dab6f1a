/** The base image of a request about one image: named, or found by `auto`. */
import { AUTO_BASE } from '../gate/rules.ts'
import type { AutoBase } from '../gate/subject.ts'
import type { OpenedImage } from '../open/open-image.ts'
import { findAutoBase } from '../service/base/auto.ts'
import { type ImageQuery, openFor } from './answers.ts'
import type { Backend, RequestContext } from './backend.ts'
import { baseCaller } from './caller.ts'

export type BaseImageQuery = ImageQuery & { readonly baseImage?: string | undefined }

export type AskedBase = {
  /** Absent if none was asked for, or none was found. */
  readonly base?: OpenedImage
  /** Present if it was found rather than named. */
  readonly autoBase?: AutoBase
  /** Every caller gets the same. */
  readonly isPublic: boolean
}

/** The images of a request, for `X-Registry-Auth`. */
export function referencesOf({ image, baseImage }: BaseImageQuery): readonly string[] {
  return [image, baseImage].filter((one) => one !== undefined).filter((one) => one !== AUTO_BASE)
}

/** @throws Problem of a name that cannot be read, if no other fits */
export async function openBase(
  backend: Backend,
  c: RequestContext,
  query: BaseImageQuery,
  image: OpenedImage,
): Promise<AskedBase> {
  const { baseImage, platform, read } = query
  if (baseImage === undefined) return { isPublic: true }
  const references = referencesOf(query)
  if (baseImage !== AUTO_BASE) {
    const base = await openFor(backend, c, { image: baseImage, platform, read }, references)
    return { base, isPublic: base.source.isPublic }
  }
  const { base, isPublic } = await findAutoBase(backend, image, baseCaller(backend, c, references))
  return base === undefined ? { isPublic } : { base: base.image, autoBase: base.shown, isPublic }
}
