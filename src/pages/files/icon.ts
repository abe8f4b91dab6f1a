/** A small picture of an entry's type, for the eye only: the table states it, too. */
import { html, raw } from 'hono/html'
import type { Html } from '../page.ts'

const SHAPES: Readonly<Record<string, string>> = {
  directory: '<path d="M1.5 3.5h4.6l1.6 2h6.8v7.5h-13z"/>',
  file: '<path d="M3.5 1.5h6l3 3.2v9.8h-9z"/>',
  link: '<path d="M3 12.5c0-4.5 2-6.5 6-6.5V3l4.5 4.5L9 12V9c-3 0-4.5 1-6 3.5z"/>',
  other: '<path d="M8 2l6 6-6 6-6-6z"/>',
}

/** The picture beside a name; the name wraps without it. */
export function entryOf(type: string, named: Html): Html {
  return html`<span class="entry">${iconOf(type)}<span>${named}</span></span>`
}

function iconOf(type: string): Html {
  const kind = type === 'directory' || type === 'file' ? type : type.endsWith('link') ? 'link' : 'other'
  return raw(`<svg class="icon ${kind}" viewBox="0 0 16 16" aria-hidden="true">${SHAPES[kind] ?? ''}</svg>`)
}
