/** Links of the pages about two images: to each image, to the treemap of a directory, to the diff of one file. */
import type { ImageIdentity } from '../../image/report.ts'
import { type ImageParameters, parametersOf, type ShownPath } from '../image-links.ts'
import { link } from '../page.ts'

/** The parameters that identify both images in the URL of a page. */
export type DiffParameters = { readonly from: ImageParameters; readonly to: ImageParameters }

export function diffParameters(from: ImageIdentity, to: ImageIdentity): DiffParameters {
  return { from: parametersOf(from), to: parametersOf(to) }
}

/** The same as parameters of the API's calls about two images. */
export function pairOf({ from, to }: DiffParameters): Readonly<Record<string, string | undefined>> {
  return { from: from.image, to: to.image, fromPlatform: from.platform, toPlatform: to.platform }
}

export function diffLink(parameters: DiffParameters): string {
  return link('/', pairOf(parameters))
}

export function textDiffLink(parameters: DiffParameters, path: ShownPath): string {
  return link('/diff', { ...pairOf(parameters), ...exact(path) })
}

export function changeMapLink(parameters: DiffParameters, path: ShownPath): string {
  return link('/map', { ...pairOf(parameters), ...exact(path) })
}

function exact({ path, pathBase64 }: ShownPath) {
  return pathBase64 === undefined ? { path } : { pathBase64 }
}
