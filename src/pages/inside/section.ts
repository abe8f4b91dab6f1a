/** What a file is made of, in its page: the treemap, and the parts as tables. */
import { html } from 'hono/html'
import { visible } from '../../formats/escape.ts'
import type { ElfFacts } from '../../inside/elf-facts.ts'
import type { ArchiveWarning } from '../../inside/entries.ts'
import type { ModuleBytes } from '../../inside/go-modules.ts'
import type { ArchiveInside, ElfInside } from '../../open/open-inside.ts'
import type { Problem } from '../../problem.ts'
import type { InsideNode } from '../../service/inside/inside-tree.ts'
import { type ElfSection, listInside } from '../../service/inside/list-inside.ts'
import { counted, formatBytes, formatCount } from '../../text/format.ts'
import { showPath } from '../../text/path.ts'
import { entryOf } from '../files/icon.ts'
import { type ImageParameters, mapLink, type ShownPath } from '../image-links.ts'
import { type Html, link, measured, name, size, table } from '../page.ts'
import { type InsideView, insideFigure, nodeName } from './figure.ts'

/** Rows of a table; the API lists the rest. */
const MAX_ROWS = 500
const MAX_NEEDED = 50
const MAX_NAME = 300

export async function insideSection(view: InsideView): Promise<Html> {
  const { inside } = view.opened
  return html`<section id="inside"><h2>Inside</h2>
${inside.kind === 'elf' ? programFacts(inside) : archiveFacts(inside)}
${insideFigure(view)}
${inside.kind === 'elf' ? await programTables(inside) : entryTable(view)}
${view.layer === undefined && rawOf(view)}
</section>`
}

/** Instead of it, for a file that has to be read to its end. */
export function laterSection(parameters: ImageParameters, path: ShownPath, bytes: number): Html {
  return html`<section id="inside"><h2>Inside</h2>
<p class="none"><a href="${mapLink(parameters, path, 'layer')}">Look inside</a>: this reads all ${formatBytes(bytes)} of the archive.</p>
</section>`
}

/** Instead of it, for a file that is damaged or past the limits. */
export function unopenedSection(problem: Problem): Html {
  return html`<section id="inside"><h2>Inside</h2>
<p class="none">${visible(`It cannot be opened: ${problem.message}`)}</p>
</section>`
}

function rawOf({ parameters, opened: { key } }: InsideView): Html {
  const { path, pathBase64 } = showPath(key)
  const asked = { ...parameters, ...(pathBase64 === undefined ? { path } : { pathBase64 }) }
  return html`<p class="raw"><a href="${link('/v1/inside', { ...asked, format: 'csv' })}">All parts as CSV</a>, or <a href="${link('/v1/inside', asked)}">as JSON</a></p>`
}

const WARNINGS: Readonly<Record<ArchiveWarning['code'], string>> = {
  absolute: 'an absolute path',
  dotdot: '.. in its path',
  duplicateEntry: 'the name of an earlier entry',
}

function archiveFacts({ kind, compression, entries, warnings }: ArchiveInside): Html {
  const packed = compression === 'none' ? '' : `, compressed with ${compression}`
  return html`<p class="sum">A ${kind} archive of ${counted(entries.count, 'entry', 'entries')}${packed}</p>
${
  warnings.length > 0 &&
  html`<ul class="plain">${warnings.map(
    ({ code, count }) => html`<li>${counted(count, 'entry has', 'entries have')} ${WARNINGS[code]}.</li>`,
  )}</ul>`
}`
}

const TYPES: Readonly<Record<ElfFacts['type'], string>> = {
  exec: 'program',
  dyn: 'program or library',
  rel: 'object file',
  core: 'core dump',
  other: 'file',
}

function programFacts({ facts, modules }: ElfInside): Html {
  const { class: width, machine, type, interpreter, needed, buildId, stripped } = facts
  const more = needed.length - MAX_NEEDED
  const rows: readonly (readonly [string, Html | string])[] = [
    ['Kind', `ELF ${TYPES[type]}, ${machine}, ${width} bits`],
    ['Symbols', stripped ? 'stripped' : 'has a symbol table'],
    ...(modules === undefined ? [] : [['Written in', 'Go'] as const]),
    ...(interpreter === undefined ? [] : [['Interpreter', name(cut(interpreter))] as const]),
    ...(needed.length === 0
      ? []
      : [
          [
            'Needs',
            html`${needed.slice(0, MAX_NEEDED).map((one) => html`${name(cut(one))} `)}${more > 0 && `and ${formatCount(more)} more`}`,
          ] as const,
        ]),
    ...(buildId === undefined ? [] : [['Build ID', name(cut(buildId))] as const]),
  ]
  return html`<dl class="about">${rows.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`
}

async function programTables(inside: ElfInside): Promise<Html> {
  const { modules = [] } = inside
  const sections = await listInside<ElfSection | undefined>(
    inside,
    { sort: '-bytes' },
    { entry: () => undefined, section: (section) => section },
  ).page(undefined, MAX_ROWS)
  const rows = sections.items.flatMap((section) => section ?? [])
  return html`${modules.length > 0 && moduleTable(modules)}
${table<ElfSection>({
  caption: 'Sections, largest first',
  none: 'The file has no sections.',
  rows,
  columns: [
    { head: 'Section', kind: 'path', cell: (section) => name(cut(section.name)) },
    {
      head: 'Size',
      kind: 'number',
      cell: ({ bytes }) => measured(size(bytes), bytes, rows[0]?.bytes ?? 0),
    },
    { head: 'Area', cell: ({ area }) => area },
    { head: 'Type', isMinor: true, cell: ({ type }) => type },
  ],
})}`
}

function moduleTable(modules: readonly ModuleBytes[]): Html {
  return html`${table<ModuleBytes>({
    caption: 'Code by Go module, largest first',
    none: '',
    rows: modules.slice(0, MAX_ROWS),
    columns: [
      { head: 'Module', kind: 'path', cell: (module) => name(cut(module.name)) },
      {
        head: 'Code',
        kind: 'number',
        cell: ({ bytes }) => measured(size(bytes), bytes, modules[0]?.bytes ?? 0),
      },
      { head: 'Functions', kind: 'number', isMinor: true, cell: ({ functions }) => formatCount(functions) },
      { head: 'Version', kind: 'text', cell: ({ version = '' }) => visible(cut(version)) },
    ],
  })}${restOf(modules.length, 'module')}`
}

function entryTable(view: InsideView): Html {
  const { tree } = view.opened
  const rows = tree.children.slice(0, MAX_ROWS)
  const isStored = rows.some(({ storedBytes }) => storedBytes !== undefined)
  return html`${table<InsideNode>({
    caption: 'Entries here, largest first',
    none: 'There are no entries here.',
    rows,
    columns: [
      { head: 'Name', kind: 'path', cell: (node) => entryOf(node.type, nodeName(node, view)) },
      {
        head: 'Size',
        kind: 'number',
        cell: ({ bytes }) => measured(size(bytes), bytes, rows[0]?.bytes ?? 0),
      },
      ...(isStored
        ? [
            {
              head: 'Stored',
              kind: 'number' as const,
              cell: ({ storedBytes }: InsideNode) => (storedBytes === undefined ? '' : size(storedBytes)),
            },
          ]
        : []),
      {
        head: 'Files',
        kind: 'number',
        isMinor: true,
        cell: ({ type, parts }) => (type === 'directory' ? formatCount(parts) : ''),
      },
      { head: 'Type', isMinor: true, cell: ({ type }) => type },
    ],
  })}${restOf(tree.children.length, 'entry', 'entries')}`
}

function restOf(count: number, one: string, many = `${one}s`): Html | false {
  return count > MAX_ROWS && html`<p class="raw">… and ${counted(count - MAX_ROWS, one, many)} more</p>`
}

function cut(text: string): string {
  return text.length > MAX_NAME ? `${text.slice(0, MAX_NAME)}…` : text
}
