/** The page of one path in the file browser: its properties, its content, and what each layer has there. */
import { html } from 'hono/html'
import { buildStep } from '../../oci/build-step.ts'
import type { Problem } from '../../problem.ts'
import { formatBytes } from '../../text/format.ts'
import { filesLink, type ShownPath, waysTo } from '../image-links.ts'
import { type Html, name, page, size, table } from '../page.ts'
import { type About, headOf } from './about.ts'
import { contentSection, downloadLink } from './archived.ts'
import type { ContentView } from './content.ts'

/** A member, as the API shows it. */
export type ShownEntry = ShownPath & {
  readonly type: string
  readonly bytes: number
  readonly mode: string
  readonly uid: number
  readonly gid: number
  readonly mtime: string
  readonly sha256?: string | undefined
  readonly link?: string | undefined
  readonly whiteout?: string | undefined
}

export type Version = { readonly layer: number; readonly entry: ShownEntry }

/** The page of a file, or of anything else that is not a directory: its properties, its layers, its content. */
export function filePage({
  about,
  path,
  isShown,
  shown,
  versions,
  content,
  inside,
}: {
  readonly about: About
  readonly path: ShownPath
  /** Whether containers see this version. */
  readonly isShown: boolean
  readonly shown: ShownEntry | undefined
  readonly versions: readonly Version[]
  /** A problem if it cannot be read. */
  readonly content: ContentView | Problem | undefined
  /** What it is made of. */
  readonly inside?: Html | undefined
}): Html {
  const { parameters, layer } = about
  return page({
    title: `/${path.path} · ${about.identity.reference}`,
    scripts: inside === undefined ? [] : ['map.js'],
    main: html`${headOf(about, path, inside === undefined ? (waysTo(path).at(-2) ?? { path: '' }) : path)}
${!isShown && layer === undefined && html`<p class="headline">Containers do not see this path: a layer removed it.</p>`}
${shown && factsOf(about, path, shown)}
${inside}
${
  content !== undefined &&
  contentSection(
    content,
    shown?.bytes ?? 0,
    html`<p class="raw"><a href="${downloadLink(about, path)}">Download the file</a></p>
`,
  )
}
<section id="versions"><h2>In the layers</h2>
${table<Version>({
  caption: 'What each layer has here, lowest first',
  none: 'No layer names this path.',
  rows: versions,
  columns: [
    {
      head: 'Layer',
      kind: 'number',
      cell: ({ layer: at, entry }) =>
        entry.whiteout === undefined
          ? html`<a href="${filesLink(parameters, path, { layer: at })}">${at}</a>`
          : at,
    },
    {
      head: 'What',
      cell: ({ entry }) => (entry.whiteout === undefined ? entry.type : 'removes it'),
    },
    { head: 'Size', kind: 'number', cell: ({ entry }) => size(entry.bytes) },
    {
      head: 'Step',
      kind: 'path',
      cell: ({ layer: at }) => name(buildStep(about.layers[at]?.createdBy ?? '').slice(0, 200)),
    },
  ],
})}
</section>`,
  })
}

function factsOf({ parameters }: About, path: ShownPath, entry: ShownEntry): Html {
  const { type, bytes, mode, uid, gid, mtime, sha256, link: target } = entry
  const facts: readonly (readonly [string, Html | string])[] = [
    ['Type', type],
    ['Size', `${formatBytes(bytes)} (${bytes.toLocaleString('en')} bytes)`],
    ['Mode', mode],
    ['Owner', `${uid}:${gid}`],
    ['Modified', mtime],
    ...(target === undefined
      ? []
      : [
          [
            'Link to',
            html`<a href="${filesLink(parameters, { path: targetOf(path.path, target, type) })}">${name(target)}</a>`,
          ] as const,
        ]),
    ...(sha256 === undefined ? [] : [['SHA-256', name(sha256)] as const]),
  ]
  return html`<dl class="about">${facts.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`
}

/** Stays inside the image: nothing leads above its root. */
function targetOf(path: string, target: string, type: string): string {
  const isRelative = type === 'symlink' && !target.startsWith('/')
  const parts = isRelative ? path.split('/').slice(0, -1) : []
  for (const part of target.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}
