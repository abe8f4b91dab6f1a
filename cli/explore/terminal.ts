/** The terminal: its alternate screen, raw keys, mouse and clipboard; given back as it was, whatever happens. */
import { writeSync } from 'node:fs'
import { difference, type Grid, type Size } from './grid.ts'
import { type Key, KeyReader } from './input.ts'
import { writeAll } from './write-all.ts'

/** Without wrapping: a terminal that takes a cluster for wider than it is must not go on in the next line. */
const ENTER = '\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[?1000h\x1b[?1006h\x1b[2J'
const LEAVE = '\x1b[?2026l\x1b[0m\x1b[?1006l\x1b[?1000l\x1b[?25h\x1b[?7h\x1b[?1049l'
const BEGIN = '\x1b[?2026h'
const END = '\x1b[?2026l'
/** How long what follows an Esc may take, over a slow connection. */
const ESC_MILLISECONDS = 60

/** As `process.stdin` is one. */
export interface TerminalInput {
  on(event: 'data', listener: (bytes: Uint8Array) => void): unknown
  on(event: 'end' | 'error', listener: () => void): unknown
  off(event: 'data', listener: (bytes: Uint8Array) => void): unknown
  off(event: 'end' | 'error', listener: () => void): unknown
  setRawMode(isRaw: boolean): unknown
  resume(): unknown
  pause(): unknown
}

/** As `process.stdout` is one. */
export interface TerminalOutput {
  readonly fd: number
  getWindowSize(): [columns: number, rows: number]
  on(event: 'resize' | 'error', listener: () => void): unknown
  off(event: 'resize' | 'error', listener: () => void): unknown
  write(text: string, onTaken: () => void): unknown
}

export type Events = {
  onKeys(keys: readonly Key[]): void
  /** The size is another, or all must be drawn again. */
  onResize(): void
  /** The terminal has taken all. */
  onTaken(): void
  /** The terminal is gone. */
  onEnd(): void
}

export class Terminal {
  readonly #in: TerminalInput
  readonly #out: TerminalOutput
  readonly #events: Events
  readonly #keys = new KeyReader()
  #timer: NodeJS.Timeout | undefined
  #shown: Grid | undefined
  #isTaken = false
  /** Writes that the terminal has not taken yet. */
  #writes = 0

  constructor(input: TerminalInput, output: TerminalOutput, events: Events) {
    this.#in = input
    this.#out = output
    this.#events = events
  }

  get size(): Size {
    const [columns, rows] = this.#out.getWindowSize()
    return { columns: Math.max(columns, 1), rows: Math.max(rows, 1) }
  }

  /** Whether the terminal has not taken the last frame yet: then the next one must wait, so that frames never queue. */
  get isBusy(): boolean {
    return this.#writes > 0
  }

  take(): void {
    process.on('exit', this.#giveBack)
    process.on('uncaughtExceptionMonitor', this.#giveBack)
    process.on('SIGCONT', this.#resume)
    this.#out.on('resize', this.#resized)
    this.#out.on('error', this.#ended)
    this.#in.on('data', this.#read)
    this.#in.on('end', this.#ended)
    this.#in.on('error', this.#ended)
    this.#enter()
  }

  give(): void {
    process.off('exit', this.#giveBack)
    process.off('uncaughtExceptionMonitor', this.#giveBack)
    process.off('SIGCONT', this.#resume)
    this.#out.off('resize', this.#resized)
    this.#in.off('data', this.#read)
    this.#in.off('end', this.#ended)
    clearTimeout(this.#timer)
    this.#giveBack()
    this.#in.pause()
  }

  draw(grid: Grid): void {
    const changes = difference(this.#shown, grid)
    const cursor = cursorChange(this.#shown, grid, changes !== '')
    this.#shown = grid
    if (changes === '' && cursor === '') return
    this.#write(`${BEGIN}${changes}${cursor}${END}`)
  }

  /** OSC 52: the terminal of the user, also over SSH. */
  copy(bytes: Uint8Array): void {
    this.#write(`\x1b]52;c;${Buffer.from(bytes).toString('base64')}\x07`)
  }

  /** Ctrl-Z: as a shell expects it. */
  suspend(): void {
    this.#giveBack()
    process.kill(process.pid, 'SIGTSTP')
  }

  /** Draws all of the next frame. */
  redraw(): void {
    this.#shown = undefined
  }

  #enter(): void {
    this.#isTaken = true
    this.#shown = undefined
    this.#in.setRawMode(true)
    this.#in.resume()
    this.#write(ENTER)
  }

  #write(text: string): void {
    // What still happens after the end is not shown.
    if (!this.#isTaken) return
    this.#writes++
    this.#out.write(text, this.#taken)
  }

  /** Also in a process that is about to end. */
  readonly #giveBack = (): void => {
    if (!this.#isTaken) return
    this.#isTaken = false
    for (const give of [
      () => writeAll((bytes) => writeSync(this.#out.fd, bytes), LEAVE),
      () => this.#in.setRawMode(false),
    ])
      try {
        give()
      } catch {
        // The terminal is gone.
      }
  }

  readonly #resume = (): void => {
    if (!this.#isTaken) this.#enter()
    this.#shown = undefined
    this.#events.onResize()
  }

  readonly #resized = (): void => {
    this.#shown = undefined
    this.#events.onResize()
  }

  readonly #taken = (): void => {
    this.#writes--
    if (this.#writes === 0) this.#events.onTaken()
  }

  readonly #ended = (): void => {
    this.#events.onEnd()
  }

  readonly #read = (bytes: Uint8Array): void => {
    clearTimeout(this.#timer)
    this.#events.onKeys(this.#keys.read(bytes))
    if (this.#keys.isWaiting)
      this.#timer = setTimeout(() => this.#events.onKeys(this.#keys.flush()), ESC_MILLISECONDS)
  }
}

/** @param moved whether something was written, which moves the cursor */
function cursorChange(from: Grid | undefined, { cursor }: Grid, moved: boolean): string {
  const before = from?.cursor
  if (cursor === undefined) return before === undefined ? '' : '\x1b[?25l'
  if (before?.x === cursor.x && before.y === cursor.y && !moved) return ''
  return `\x1b[${cursor.y + 1};${cursor.x + 1}H${before === undefined ? '\x1b[?25h' : ''}`
}
