/** Links of the pages about two images: to each image, to the treemap of a directory, to the diff of one file. */
import type { ImageIdentity } from '../../image/report.ts'
import { link } from '../page.ts'
import { type Place, placeOf, type ShownPath } from '../place.ts'

/** The parameters that identify both images in the URL of a page. */
export type DiffPlace = { readonly from: Place; readonly to: Place }

export function diffPlace(from: ImageIdentity, to: ImageIdentity): DiffPlace {
  return { from: placeOf(from), to: placeOf(to) }
}

/** The same as parameters of the API's calls about two images. */
export function pairOf({ from, to }: DiffPlace): Readonly<Record<string, string | undefined>> {
  return { from: from.image, to: to.image, fromPlatform: from.platform, toPlatform: to.platform }
}

export function diffLink(place: DiffPlace): string {
  return link('/', pairOf(place))
}

export function textDiffLink(place: DiffPlace, path: ShownPath): string {
  return link('/diff', { ...pairOf(place), ...exact(path) })
}

export function changeMapLink(place: DiffPlace, path: ShownPath): string {
  return link('/map', { ...pairOf(place), ...exact(path) })
}

function exact({ path, pathBase64 }: ShownPath) {
  return pathBase64 === undefined ? { path } : { pathBase64 }
}
