/** A text that covers the screen: a file, a diff, all about a row, the keys. */
import type { Style } from './grid.ts'

export type PagerText = {
  readonly title: string
  readonly count: number
  /** Without control characters. */
  line(index: number): string
  style?(index: number): Style
  /** Whether lines have numbers. */
  readonly isNumbered?: boolean
}

export class Pager {
  text: PagerText
  top = 0
  /** Columns that are left out on the left. */
  shift = 0
  #searched = ''

  constructor(text: PagerText) {
    this.text = text
  }

  /** @param rows on the screen */
  move(by: number, rows: number): void {
    this.top = Math.max(0, Math.min(this.top + by, this.text.count - rows))
  }

  get searched(): string {
    return this.#searched
  }

  /** Shows the line that matches next from a line on, around at the end. @returns whether there is one */
  search(typed: string, from: number, step: 1 | -1): boolean {
    this.#searched = typed
    if (typed === '') return false
    const { count } = this.text
    const fits = this.fits()
    for (let i = 0; i < count; i++) {
      const at = (((from + step * i) % count) + count) % count
      if (!fits(at)) continue
      this.top = at
      return true
    }
    return false
  }

  clear(): void {
    this.#searched = ''
  }

  /** Whether a line has what is searched. */
  fits(): (index: number) => boolean {
    const part = this.#searched.toLowerCase()
    return (index) => part !== '' && this.text.line(index).toLowerCase().includes(part)
  }
}

export function linesText(
  title: string,
  lines: readonly string[],
  style?: (line: string) => Style,
): PagerText {
  return {
    title,
    count: lines.length,
    line: (index) => lines[index] ?? '',
    ...(style === undefined ? {} : { style: (index: number) => style(lines[index] ?? '') }),
  }
}
