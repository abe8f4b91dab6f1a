/** What a terminal sends, as keys: xterm's sequences, SGR mouse reports, and text. */

export type Key =
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'click'; readonly x: number; readonly y: number }

const NAMED: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x03': 'ctrl-c',
  '\x15': 'ctrl-u',
  '\x1a': 'ctrl-z',
  '\x0c': 'ctrl-l',
}

const LETTERS: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'backtab',
}

const NUMBERS: Readonly<Record<string, string>> = {
  1: 'home',
  4: 'end',
  5: 'pgup',
  6: 'pgdn',
  7: 'home',
  8: 'end',
}

const MOUSE_X10_LENGTH = 3
/** Longer sequences are no keys. */
const MOST = 64

/** Turns bytes into keys; a sequence may arrive in pieces. */
export class KeyReader {
  #rest = ''
  readonly #decoder = new TextDecoder()

  /** Whether an Esc waits for what may follow it. */
  get isWaiting(): boolean {
    return this.#rest !== ''
  }

  read(bytes: Uint8Array): readonly Key[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true })
    return this.#take()
  }

  /** Nothing has followed: an Esc was a key. */
  flush(): readonly Key[] {
    const rest = this.#rest
    this.#rest = ''
    return rest === '\x1b' ? [{ kind: 'key', name: 'esc' }] : []
  }

  #take(): readonly Key[] {
    const keys: Key[] = []
    while (this.#rest !== '') {
      const length = sequenceLength(this.#rest)
      if (length === undefined) {
        if (this.#rest.length > MOST) this.#rest = ''
        break
      }
      keys.push(...keyOf(this.#rest.slice(0, length)))
      this.#rest = this.#rest.slice(length)
    }
    return keys
  }
}

const ESC = '\x1b'
/** What follows `ESC [` in xterm's control sequences. */
const SEQUENCE = /^[0-?]*[ -/]*[@-~]/
const UNFINISHED = /^[ -?]*$/

/** Of the first key in a text; undefined if more must arrive. */
function sequenceLength(text: string): number | undefined {
  if (text[0] !== ESC) return String.fromCodePoint(text.codePointAt(0) ?? 0).length
  if (text.length === 1) return undefined
  if (text[1] === 'O') return text.length < 3 ? undefined : 3
  if (text[1] === ESC) return 1
  if (text[1] !== '[') return 2
  const [whole] = SEQUENCE.exec(text.slice(2)) ?? []
  if (whole === undefined) return UNFINISHED.test(text.slice(2)) ? undefined : 2
  if (whole !== 'M') return 2 + whole.length
  const length = 2 + whole.length + MOUSE_X10_LENGTH
  return text.length < length ? undefined : length
}

function keyOf(text: string): readonly Key[] {
  const named = NAMED[text]
  if (named !== undefined) return [{ kind: 'key', name: named }]
  if (text === ESC) return [{ kind: 'key', name: 'esc' }]
  if (text[0] !== ESC) return text < ' ' ? [] : [{ kind: 'key', name: text }]
  const mouse = /^\[<(\d{1,5});(\d{1,5});(\d{1,5})M$/.exec(text.slice(1))
  if (mouse !== null) return mouseOf(Number(mouse[1]), Number(mouse[2]) - 1, Number(mouse[3]) - 1)
  const [, number, letter = ''] = /^(?:O|\[(\d*)(?:;\d+)?)([A-Z~])$/.exec(text.slice(1)) ?? []
  const name = letter === '~' ? NUMBERS[number ?? ''] : LETTERS[letter]
  return name === undefined ? [] : [{ kind: 'key', name }]
}

const WHEEL_UP = 64
const WHEEL_DOWN = 65

function mouseOf(button: number, x: number, y: number): readonly Key[] {
  if (button === 0) return [{ kind: 'click', x, y }]
  if (button === WHEEL_UP) return [{ kind: 'key', name: 'wheel-up' }]
  if (button === WHEEL_DOWN) return [{ kind: 'key', name: 'wheel-down' }]
  return []
}
