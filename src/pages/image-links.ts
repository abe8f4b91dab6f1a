/** Links between the pages about one image: its report, its treemap, its files. */
import { html } from 'hono/html'
import type { ImageIdentity } from '../image/report.ts'
import { encodeText, toByteString } from '../text/bytes.ts'
import { showPath } from '../text/path.ts'
import { type Html, link, name } from './page.ts'

/** The parameters that identify the image in the URL of a page. */
export type ImageParameters = { readonly image: string; readonly platform?: string | undefined }

/** A path as the API shows it. */
export type ShownPath = { readonly path: string; readonly pathBase64?: string | undefined }

export function parametersOf({ reference, indexDigest, platform }: ImageIdentity): ImageParameters {
  return { image: reference, platform: indexDigest === undefined ? undefined : platform }
}

/** The same image, wherever its tag moves. */
export function permanentParametersOf(image: ImageIdentity): ImageParameters {
  const { registry, repository, digest, reference } = image
  if (registry === undefined || repository === undefined) return { image: reference }
  return { image: `${registry}/${repository}@${digest}` }
}

function exact({ path, pathBase64 }: ShownPath) {
  return pathBase64 === undefined ? { path } : { pathBase64 }
}

export function reportLink({ image, platform }: ImageParameters): string {
  return link('/', { image, platform })
}

export type FilesView = {
  /** Only the content of this layer; by default the merged file system. */
  readonly layer?: number | undefined
  readonly sort?: 'bytes' | 'name' | undefined
  /** Where a page of a directory begins. */
  readonly at?: string | undefined
}

export function filesLink(
  { image, platform }: ImageParameters,
  path: ShownPath,
  view: FilesView = {},
): string {
  const { layer, sort, at } = view
  return link('/files', { image, platform, layer: layer?.toString(), ...exact(path), sort, at })
}

/** All paths whose last part contains the text. */
export function namedLink({ image, platform }: ImageParameters, text: string): string {
  // Characters with a meaning in globs become `?`, which matches any one character.
  return link('/files', { image, platform, glob: `*${text.replace(/[^\p{L}\p{N}._+~-]/gu, '?')}*` })
}

export function mapLink({ image, platform }: ImageParameters, path: ShownPath, color: string): string {
  return link('/map', { image, platform, color, ...exact(path) })
}

/** A path that links to its page. */
export function pathLink(parameters: ImageParameters, path: ShownPath, layer?: number): Html {
  return html`<a href="${filesLink(parameters, path, { layer })}">${name(path.path === '' ? '/' : path.path)}</a>`
}

/** Each directory on the way to a path, then the path itself, split by bytes, which need not be UTF-8. */
export function waysTo({ path, pathBase64 }: ShownPath): readonly (ShownPath & { readonly name: string })[] {
  const bytes = pathBase64 === undefined ? encodeText(path) : toByteString(Buffer.from(pathBase64, 'base64'))
  const parts = bytes.split('/').filter((part) => part !== '')
  return parts.map((part, at) => ({
    name: showPath(part).path,
    ...showPath(parts.slice(0, at + 1).join('\0')),
  }))
}
