/** The explorer without a terminal: what is shown, what is selected, and what each key does to it. */
import { terminalText } from '../../src/formats/escape.ts'
import type { AnalysisProgress } from '../ask.ts'
import { Failure } from '../failure.ts'
import type { Size } from './grid.ts'
import type { Host } from './host.ts'
import { imageRows, stepsOf } from './image-rows.ts'
import type { View } from './keys.ts'
import { ListPane, type Row } from './list-pane.ts'
import { adviceRows, changePages, layerChangeRows, layerRows, pagesOf } from './lists.ts'
import { Pager, type PagerText } from './pager.ts'
import type { Prompt } from './prompt.ts'
import type { Questions, Report } from './questions.ts'
import { layoutOf, type ScreenLayout } from './screen-layout.ts'
import { TreeWalk } from './tree-walk.ts'

export const BARS = ['bars', 'percent', 'both', 'neither'] as const

/** What only a terminal, or who runs the explorer, can do. */
export type Outside = {
  changed(): void
  copy(bytes: Uint8Array): void
  suspend(): void
  redraw(): void
  interrupt(): void
  quit(): void
  /** It cannot go on: the first image cannot be opened. */
  fail(error: unknown): void
  /** Forgets what registries have said. */
  forget(): Promise<void>
}

export type Images = { readonly image: Questions; readonly image2?: Questions | undefined }

/** While the image is read. */
export type Reading = { readonly steps: readonly string[]; readonly progress?: AnalysisProgress | undefined }

export class Explorer implements Host {
  readonly images: Images
  readonly outside: Outside
  readonly signal: AbortSignal
  walk: TreeWalk
  view: View = 'tree'
  report: Report | undefined
  reading: Reading | undefined = { steps: [] }
  readonly #lists = new Map<string, ListPane>()
  readonly overlays: Pager[] = []
  prompt: Prompt | undefined
  message = ''
  /** In lists; the tree has its own. */
  searched = ''
  bars: (typeof BARS)[number] = 'bars'
  #waitsFor: string[] = []
  size: Size = { columns: 80, rows: 24 }

  constructor(images: Images, outside: Outside, signal: AbortSignal) {
    this.images = images
    this.outside = outside
    this.signal = signal
    this.walk = new TreeWalk(images.image, this)
  }

  // --- as a host

  changed(): void {
    this.outside.changed()
  }

  say(message: string): void {
    this.message = message
    this.changed()
  }

  async during<T>(what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    this.#waitsFor.push(what)
    try {
      return await work(this.signal)
    } catch (error) {
      if (this.signal.aborted) return undefined
      if (!(error instanceof Failure)) throw error
      // The code first: a sentence may not fit.
      this.message = terminalText(`${error.code}: ${error.message}`)
      return undefined
    } finally {
      this.#waitsFor.splice(this.#waitsFor.indexOf(what), 1)
      this.changed()
    }
  }

  /** What it waits for, if it does. */
  get waitsFor(): string | undefined {
    return this.#waitsFor.at(-1)
  }

  // --- the image

  /** Opens the image; what is known is shown at once. */
  async open(): Promise<void> {
    try {
      const { image } = this.images
      const answer = await image.opened((progress) => this.#showProgress(progress))
      this.walk.start(answer)
      this.reading = undefined
      this.changed()
      this.report = await image.report()
      this.walk.setSize(this.report.layers.length, this.report.counts.paths)
      this.changed()
    } catch (error) {
      if (!this.signal.aborted) this.outside.fail(error)
    }
  }

  #showProgress(progress: AnalysisProgress): void {
    const isFirst = this.reading?.progress === undefined
    this.reading = { steps: this.reading?.steps ?? [], progress }
    this.changed()
    if (isFirst)
      void this.during('opening', async () => {
        const steps = stepsOf(await this.images.image.config())
        if (this.reading !== undefined) this.reading = { ...this.reading, steps }
      })
  }

  async again(): Promise<void> {
    await this.outside.forget()
    this.#lists.clear()
    const { walk } = this
    await this.during('reading again', async () => {
      walk.start(await this.images.image.opened(() => {}))
      this.report = await this.images.image.report()
      walk.setSize(this.report.layers.length, this.report.counts.paths)
    })
    this.say('')
  }

  // --- lists

  /** Undefined for the tree. */
  get list(): ListPane | undefined {
    const { view } = this
    if (view === 'tree' || this.reading !== undefined) return undefined
    const key = view === 'changes' && this.images.image2 === undefined ? `changes ${this.walk.layer}` : view
    let list = this.#lists.get(key)
    if (list === undefined) {
      list = this.#makeList(view)
      this.#lists.set(key, list)
    }
    return list
  }

  async #readReport(): Promise<Report> {
    this.report ??= await this.images.image.report()
    return this.report
  }

  #makeList(view: Exclude<View, 'tree'>): ListPane {
    const { image, image2 } = this.images
    const whole = (read: () => Promise<readonly Row[]>) => new ListPane(async () => ({ rows: await read() }))
    switch (view) {
      case 'layers':
        return whole(async () => layerRows((await this.#readReport()).layers))
      case 'advice':
        return whole(async () => adviceRows(await image.advice()))
      case 'image':
        return whole(async () => imageRows(await this.#readReport(), await image.config()))
      case 'changes': {
        const { layer } = this.walk
        if (image2 !== undefined) return new ListPane(changePages(image, image2))
        return whole(async () => {
          const made = await this.walk.view('did', layer)
          return made === undefined ? [] : layerChangeRows(made, layer)
        })
      }
      default:
        return new ListPane(pagesOf(image, view))
    }
  }

  // --- what covers it

  get pager(): Pager | undefined {
    return this.overlays.at(-1)
  }

  cover(text: PagerText): void {
    this.overlays.push(new Pager(text))
    this.changed()
  }

  get place(): ScreenLayout {
    return layoutOf(this.size, this.pager === undefined && this.view !== 'tree' && this.reading === undefined)
  }

  /** Scrolls so that what is selected is on a screen of this size, and asks for rows that it will need. */
  settle(size: Size): void {
    this.size = size
    const { rows } = this.place
    this.pager?.move(0, rows)
    const pane = this.list ?? this.walk.pane
    const most = Math.max(pane.rows.length - rows, 0)
    pane.top = Math.max(0, Math.min(pane.top, pane.index, most), pane.index - rows + 1)
    this.#readMore()
  }

  #readMore(): void {
    const { list } = this
    if (list?.needs(this.size.rows) === true) void this.during('reading', () => list.more())
  }
}
