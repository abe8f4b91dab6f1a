/** The tree with what it asks for: folders as they are opened, all paths to search, what a layer did. */
import type { ByteString } from '../../src/text/bytes.ts'
import { Filter } from './filter.ts'
import { nextMatch, previousMatch } from './find.ts'
import type { Host } from './host.ts'
import { type LayerMode, type LayerView, layerView } from './layer-views.ts'
import { Listing, ROOT } from './listing.ts'
import { addFolder, readWhole } from './load.ts'
import type { Sort } from './order.ts'
import type { Questions, TreeAnswer } from './questions.ts'
import { TreePane } from './tree-pane.ts'
import { WaitingKeys } from './waiting-keys.ts'
import { Matches, wordsOf } from './words.ts'

export type TreeMode = 'whole' | LayerMode
const MODES: readonly TreeMode[] = ['whole', 'did', 'upTo']
/** Layer views that are kept. */
const KEPT_VIEWS = 4

/** Where a search began. */
type Origin = { readonly path: ByteString; readonly open: ReadonlySet<ByteString> }

export class TreeWalk {
  readonly pane = new TreePane()
  readonly #questions: Questions
  readonly #host: Host
  #image = new Listing({ isWhole: false })
  #paths = 0
  #whole: Promise<Listing | undefined> | undefined
  readonly #views = new Map<string, LayerView>()
  mode: TreeMode = 'whole'
  layer = 0
  layers = 0
  #origin: Origin | undefined
  #searched = ''
  #filtered = ''
  #matches: { readonly typed: string; readonly matches: Matches } | undefined
  #then: ((matches: Matches) => void) | undefined
  #modeShown: Promise<void> | undefined
  readonly #waiting = new WaitingKeys()

  constructor(questions: Questions, host: Host) {
    this.#questions = questions
    this.#host = host
  }

  get searched(): string {
    return this.#searched
  }

  get filtered(): string {
    return this.#filtered
  }

  /** Of the whole image. */
  get bytes(): number {
    return this.#image.bytes(ROOT)
  }

  start(answer: TreeAnswer): void {
    this.#image = new Listing({ isWhole: false })
    this.#add(this.#image, ROOT, answer)
    this.pane.show(this.#image)
  }

  /** @param paths how many the image has */
  setSize(layers: number, paths: number): void {
    this.layers = layers
    this.#paths = paths
  }

  #add(listing: Listing, row: number, answer: TreeAnswer): void {
    // A folder with more than the API lists at once.
    if (!addFolder(listing, row, answer)) void this.#needWhole()
  }

  /** Resolves when all paths are known. */
  async #needWhole(): Promise<void> {
    if (this.mode !== 'whole' || this.#image.isWhole) return
    this.#whole ??= this.#host.during('reading all names', () =>
      readWhole(this.#questions, this.#paths, (paths) => {
        if (this.#paths > 0)
          this.#host.say(`reading all names: ${Math.floor((100 * paths) / Math.max(this.#paths, paths))}%`)
      }),
    )
    const listing = await this.#whole
    if (listing === undefined) {
      this.#whole = undefined
      return
    }
    if (this.#image === listing) return
    this.#image = listing
    if (this.mode === 'whole') this.pane.show(listing)
    this.#host.say('')
    this.#host.changed()
  }

  async open(): Promise<void> {
    const { pane } = this
    const { listing, selected: row } = pane
    pane.open(row)
    if (listing.isKnown(row)) return
    const answer = await this.#host.during('reading', () => this.#questions.folder(listing.path(row)))
    if (answer === undefined || listing.isKnown(row)) return
    this.#add(listing, row, answer)
    if (pane.listing === listing) pane.refresh()
  }

  async sortBy(sort: Sort): Promise<void> {
    this.pane.sortBy(sort)
    // What a folder lists has no time.
    if (sort === 'time') await this.#needWhole()
  }

  // --- layers

  async turnMode(): Promise<void> {
    this.mode = MODES[(MODES.indexOf(this.mode) + 1) % MODES.length] ?? 'whole'
    this.#modeShown = this.#showMode()
    await this.#modeShown
  }

  async toLayer(layer: number, mode: TreeMode = this.mode): Promise<void> {
    this.layer = Math.max(0, Math.min(layer, this.layers - 1))
    this.mode = mode
    this.#modeShown = this.#showMode()
    await this.#modeShown
  }

  async #showMode(): Promise<void> {
    const { mode, layer, pane } = this
    let listing: Listing | undefined = this.#image
    if (mode !== 'whole') listing = (await this.view(mode, layer))?.listing
    if (listing === undefined || this.mode !== mode || (mode !== 'whole' && this.layer !== layer)) return
    if (pane.listing === listing) return
    this.#then = undefined
    pane.show(listing)
    if (this.#filtered === '') this.#waiting.end()
    else {
      await this.#needWhole()
      this.#keep(this.#filtered)
    }
    this.#host.changed()
  }

  /** What a layer did, or the file system up to it. */
  async view(mode: LayerMode, layer: number): Promise<LayerView | undefined> {
    const key = `${mode} ${layer}`
    const known = this.#views.get(key)
    if (known !== undefined) return known
    const made = await this.#host.during(`reading layer ${layer}`, (signal) =>
      layerView(this.#questions, { mode, layer, signal }),
    )
    if (made === undefined) return undefined
    this.#views.set(key, made)
    for (const old of this.#views.keys()) if (this.#views.size > KEPT_VIEWS) this.#views.delete(old)
    return made
  }

  // --- search and filter

  /** Whether names are still to be looked at. */
  get hasWork(): boolean {
    return this.#then !== undefined && this.#matches?.matches.isDone === false
  }

  /** Looks at some names. @param until in milliseconds, of `performance.now()` */
  work(until: number): void {
    const matches = this.#matches?.matches
    if (this.#then === undefined || matches === undefined) return
    matches.work(until)
    if (!matches.isDone) return
    const then = this.#then
    this.#then = undefined
    then(matches)
  }

  /** Resolves when the names of what is shown are all there. */
  async #namesKnown(): Promise<void> {
    await this.#modeShown
    await this.#needWhole()
  }

  #match(typed: string, then: (matches: Matches) => void): void {
    const { listing } = this.pane
    if (this.#matches?.typed !== typed || this.#matches.matches.listing !== listing)
      this.#matches = { typed, matches: new Matches(listing, wordsOf(typed)) }
    this.#then = then
    this.work(performance.now() + SLICE_MILLISECONDS)
  }

  beginSearch(): void {
    const { pane } = this
    this.#origin = { path: pane.listing.path(pane.selected), open: pane.opened() }
  }

  async search(typed: string): Promise<void> {
    const { pane } = this
    const origin = this.#origin
    this.#searched = typed
    this.#waiting.drop()
    if (typed !== '') this.#waiting.begin()
    if (origin === undefined) return
    const back = () => {
      pane.reopen(origin.open)
      pane.select(pane.listing.nearest(origin.path))
    }
    if (typed === '') {
      this.#then = undefined
      back()
      return
    }
    await this.#namesKnown()
    // More was typed since.
    if (this.#searched !== typed) return
    this.#match(typed, (matches) => {
      back()
      const from = pane.selected
      const found = matches.fits(from) ? from : nextMatch(pane, matches, from)
      if (found !== undefined) pane.select(found)
      else this.#host.say('no match')
      this.#waiting.end()
      this.#host.changed()
    })
  }

  whenFound(then: () => void): void {
    this.#waiting.whenFound(then)
  }

  async toMatch(step: 1 | -1): Promise<void> {
    if (this.#searched === '') return
    const { pane } = this
    this.#waiting.begin()
    await this.#namesKnown()
    this.#match(this.#searched, (matches) => {
      const find = step === 1 ? nextMatch : previousMatch
      const found = find(pane, matches, pane.selected)
      if (found === undefined) this.#host.say('no match')
      else pane.select(found)
      this.#waiting.end()
      this.#host.changed()
    })
  }

  async filter(typed: string): Promise<void> {
    this.#filtered = typed
    if (typed === '') {
      this.#noFilter()
      return
    }
    this.#waiting.begin()
    await this.#namesKnown()
    // Another was typed since.
    if (this.#filtered === typed) this.#keep(typed)
  }

  #noFilter(): void {
    this.#then = undefined
    this.pane.keepOnly(undefined)
    this.#waiting.end()
  }

  #keep(typed: string): void {
    this.#match(typed, (matches) => {
      this.pane.keepOnly(new Filter(matches))
      this.#waiting.end()
      this.#host.changed()
    })
  }

  /** Ends the search, then the filter. @returns whether there was one */
  clear(): boolean {
    if (this.#searched !== '') {
      this.#searched = ''
      this.#waiting.drop()
      return true
    }
    if (this.#filtered === '') return false
    this.#filtered = ''
    this.#noFilter()
    return true
  }
}

/** Of a frame's time, for looking at names. */
export const SLICE_MILLISECONDS = 6
