/** A terminal emulator in place of a terminal: what programs write to it is read back as cells. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import xterm from '@xterm/headless'

export type Cell = {
  /** Empty in the second cell of a wide character. */
  readonly text: string
  /** In columns; 0 in that second cell. */
  readonly width: number
  readonly isInverse: boolean
  readonly isBold: boolean
  readonly isDim: boolean
  readonly isUnderlined: boolean
  /** One of the 16 colours of the terminal. */
  readonly colour: number | undefined
}

type Size = { readonly columns: number; readonly rows: number }

const CURSOR = '\x1b[?25h'
const NO_CURSOR = '\x1b[?25l'
const SYNCHRONIZED = '\x1b[?2026h'

/** The screen, as `process.stdout` is one. */
export class Emulator extends Writable {
  readonly #terminal: InstanceType<typeof xterm.Terminal>
  readonly #folder = mkdtempSync(join(tmpdir(), 'lamina-emulator-'))
  /** Takes what is written past the stream, as by a process that is about to end. */
  readonly fd = openSync(join(this.#folder, 'written'), 'a')
  #held: (() => void)[] | undefined
  /** All that was written so far. */
  written = ''

  constructor({ columns, rows }: Size) {
    super({ decodeStrings: false, highWaterMark: 1 })
    this.#terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 0, allowProposedApi: true })
  }

  override _write(text: string | Buffer, _: unknown, done: () => void): void {
    this.written += text.toString()
    const take = () => this.#terminal.write(text, done)
    if (this.#held === undefined) take()
    else this.#held.push(take)
  }

  /** Takes nothing more until it is released. */
  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const take of held) take()
  }

  getWindowSize(): [columns: number, rows: number] {
    return [this.#terminal.cols, this.#terminal.rows]
  }

  resize({ columns, rows }: Size): void {
    this.#terminal.resize(columns, rows)
    this.emit('resize')
  }

  /** Frames that were written to it. */
  get frames(): number {
    return this.written.split(SYNCHRONIZED).length - 1
  }

  /** What was written past the stream is taken, too. */
  async close(): Promise<void> {
    closeSync(this.fd)
    const text = readFileSync(join(this.#folder, 'written'), 'utf8')
    rmSync(this.#folder, { recursive: true })
    await this.show(text)
  }

  /** Shows text, however slow it is. */
  async show(text: string): Promise<void> {
    this.written += text
    await new Promise<void>((resolve) => this.#terminal.write(text, resolve))
  }

  get isAlternate(): boolean {
    return this.#terminal.buffer.active.type === 'alternate'
  }

  /** How it behaves, as far as programs that draw on all of it change that. */
  get modes() {
    const {
      mouseTrackingMode: mouse,
      synchronizedOutputMode: isSynchronized,
      wraparoundMode: wraps,
    } = this.#terminal.modes
    const hasCursor = this.written.lastIndexOf(CURSOR) >= this.written.lastIndexOf(NO_CURSOR)
    return { mouse, isSynchronized, wraps, hasCursor }
  }

  get lines(): readonly string[] {
    const { active } = this.#terminal.buffer
    return Array.from(
      { length: this.#terminal.rows },
      (_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? '',
    )
  }

  get text(): string {
    return this.lines.join('\n')
  }

  cells(y: number): readonly Cell[] {
    const { active } = this.#terminal.buffer
    const line = active.getLine(active.baseY + y)
    return Array.from({ length: this.#terminal.cols }, (_, x) => {
      const cell = line?.getCell(x)
      const width = cell?.getWidth() ?? 1
      return {
        text: cell?.getChars() || (width === 0 ? '' : ' '),
        width,
        isInverse: cell?.isInverse() !== 0,
        isBold: cell?.isBold() !== 0,
        isDim: cell?.isDim() !== 0,
        isUnderlined: cell?.isUnderline() !== 0,
        colour: cell?.isFgPalette() === true ? cell.getFgColor() : undefined,
      }
    })
  }
}

/** What one types, as `process.stdin` has it. */
export class Keyboard extends PassThrough {
  isRaw = false

  setRawMode(isRaw: boolean): void {
    this.isRaw = isRaw
  }
}
