/** The page of a path that leads into a file: an entry of an archive, a directory of it, or an area of a program. */
import { html } from 'hono/html'
import { visible } from '../../formats/escape.ts'
import { Problem } from '../../problem.ts'
import { formatBytes } from '../../text/format.ts'
import { type ShownPath, waysTo } from '../image-links.ts'
import { type Html, link, page } from '../page.ts'
import { type About, headOf } from './about.ts'
import { type ContentView, contentOf } from './content.ts'

export function archivedPage({
  about,
  path,
  file,
  inside,
}: {
  readonly about: About
  readonly path: ShownPath
  /** Absent for a directory or an area. */
  readonly file?: { readonly bytes: number; readonly content: ContentView | Problem } | undefined
  readonly inside?: Html | undefined
}): Html {
  return page({
    title: `/${path.path} · ${about.identity.reference}`,
    scripts: inside === undefined ? [] : ['map.js'],
    main: html`${headOf(about, path, inside === undefined ? (waysTo(path).at(-2) ?? { path: '' }) : path)}
${
  file !== undefined &&
  html`<p class="sum"><strong>${formatBytes(file.bytes)}</strong> <a href="${downloadLink(about, path)}">Download the file</a></p>`
}
${inside}
${file !== undefined && contentSection(file.content, file.bytes)}`,
  })
}

/** The beginning of a file, or why it cannot be read. @param more follows it */
export function contentSection(content: ContentView | Problem, bytes: number, more?: Html): Html {
  return html`<section id="content"><h2>Content</h2>
${content instanceof Problem ? html`<p class="none">${visible(content.message)}</p>` : contentOf(content, bytes)}
${more}</section>`
}

export function downloadLink({ parameters, layer }: About, { path, pathBase64 }: ShownPath): string {
  const exact = pathBase64 === undefined ? { path } : { pathBase64 }
  return link('/v1/file', { ...parameters, ...exact, layer: layer?.toString() })
}
