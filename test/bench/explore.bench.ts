/**
 * The explorer in a terminal of 80 × 24, as `script` of util-linux gives one: how long a known image takes to be on the screen,
 * against a process of Node that does nothing; and in an image of a million files how long a key takes to its frame, against the
 * echo of the terminal itself, with how many bytes it writes, and the process's peak memory.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { bundleCli } from '../../cli/bundle.ts'
import { manyFiles } from '../layers/many-files.ts'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { withFolder } from './layers.ts'
import { line, median, peakMegabytes, processBelow, REGISTRY, shell } from './measure.ts'

const FILES = 1_000_000
const STARTS = 7
/** Of each key. */
const ROUNDS = 15
const FRAME_END = '\x1b[?2026l'

export default async function bench(): Promise<void> {
  await withFolder(async (at) => {
    await bundleCli(at('lamina'))
    const lamina = `${process.execPath} ${at('lamina/lamina.js')}`
    const settings = { XDG_CACHE_HOME: at('cache'), HOME: at('home') }
    const inCache = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
    const reads = (image: string) => shell(`${inCache.join(' ')} ${lamina} report ${image}`)
    const known = `${REGISTRY}/app:v1`
    await reads(known)
    const times = { node: [] as number[], first: [] as number[] }
    for (let start = 0; start < STARTS; start++) {
      times.node.push(await inTerminal(`${process.execPath} -e 'console.log("there")'`, settings, 'there'))
      times.first.push(await inTerminal(`${lamina} explore ${known}`, settings, 'usr/'))
    }
    line('node, to its first line', { ms: median(times.node) })
    line('lamina explore app:v1, to its tree', {
      ms: median(times.first),
      'beyond node, ms': median(times.first) - median(times.node),
    })

    const registry = await FixtureRegistry.start()
    try {
      const large = registry.push('many', 'v1', makeImage([await makeLayer(manyFiles(FILES))]))
      await reads(large)
      await walk(`${lamina} explore ${large}`, settings)
    } finally {
      await registry.close()
    }
  })
}

/** Milliseconds until a text is on the screen. */
async function inTerminal(command: string, env: Settings, text: string): Promise<number> {
  const began = performance.now()
  const screen = new Screen(command, env)
  await screen.shows(text)
  const took = performance.now() - began
  await screen.end()
  return took
}

/** Keys that change the screen each time, in turns. */
const MOVES = ['j', 'k', '\x1b[6~', '\x1b[5~', 'G', 'g', 'b']
const ORDERS = ['s', 'a', 's', 'C']
const SEARCHES = ['n', 'N']

async function walk(command: string, env: Settings): Promise<void> {
  const echo = new Screen('cat', env)
  const echoes = await timed(echo, Array(ROUNDS * MOVES.length).fill('x'), 'x')
  await echo.end()
  line('a key to its echo', percentiles(echoes))

  const screen = new Screen(command, env)
  await screen.shows('data/')
  const opened = await screen.peak()
  // The folder of a thousand folders, and the first of them.
  await screen.press('j')
  await screen.press('l', '100/')
  // It reads all names meanwhile.
  const busy = await timed(screen, MOVES, FRAME_END)
  line('moving while all names are read', percentiles(busy))
  await screen.press('/999\r', '999  ')
  const read = await screen.peak()
  await screen.press('\x1b[D')
  await screen.press('\x1b[D')
  const moves = await timed(screen, Array(ROUNDS).fill(MOVES).flat(), FRAME_END)
  const orders = await timed(screen, Array(ROUNDS).fill(ORDERS).flat(), FRAME_END)
  line('moving', percentiles(moves))
  line('sorting', percentiles(orders))
  await screen.press('/999\r', '999  ')
  line('searching further', percentiles(await timed(screen, Array(ROUNDS).fill(SEARCHES).flat(), FRAME_END)))
  line('typing a search', percentiles(await timed(screen, ['/', '5', '7', '7', '1'], FRAME_END)))
  await screen.press('\r')
  line('a filter of 1 in 1,000', { ms: (await screen.press('f999\r', 'filter: 999')).milliseconds })
  line(
    'moving in the filtered tree',
    percentiles(await timed(screen, Array(ROUNDS).fill(['j', 'k']).flat(), FRAME_END)),
  )
  line('peak memory, MB', { opened, 'all names read': read, 'at the end': await screen.peak() })
  await screen.end()
}

type Pressed = { readonly milliseconds: number; readonly bytes: number }

async function timed(screen: Screen, keys: readonly string[], answer: string): Promise<readonly Pressed[]> {
  const all: Pressed[] = []
  for (const key of keys) all.push(await screen.press(key, answer))
  return all
}

function percentiles(pressed: readonly Pressed[]): Record<string, number> {
  const sorted = pressed.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b)
  const at = (part: number) =>
    sorted[Math.min(Math.floor(part * sorted.length), sorted.length - 1)] ?? Number.NaN
  return {
    'p50, ms': at(0.5),
    'p99, ms': at(0.99),
    'most bytes': Math.max(...pressed.map(({ bytes }) => bytes)),
  }
}

type Settings = Readonly<Record<string, string>>

class Screen {
  readonly #process: ChildProcess
  #written = ''
  #heard = Promise.withResolvers<void>()

  constructor(command: string, env: Settings) {
    this.#process = spawn('script', ['-qfec', `stty rows 24 cols 80; exec ${command}`, '/dev/null'], {
      env: { PATH: process.env.PATH, TERM: 'xterm-256color', LANG: 'C.UTF-8', SHELL: '/bin/sh', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#written += text
      this.#heard.resolve()
      this.#heard = Promise.withResolvers()
    })
  }

  async shows(text: string): Promise<void> {
    while (!this.#written.includes(text)) await this.#heard.promise
  }

  /** Resolves when it has written the answer. */
  async press(key: string, answer = FRAME_END): Promise<Pressed> {
    await this.#isQuiet()
    this.#written = ''
    const began = performance.now()
    this.#process.stdin?.write(key)
    await this.shows(answer)
    const milliseconds = performance.now() - began
    await this.#isQuiet()
    return { milliseconds, bytes: Buffer.byteLength(this.#written) }
  }

  /** Nothing more comes of what came before. */
  async #isQuiet(): Promise<void> {
    for (let length = -1; length !== this.#written.length; ) {
      length = this.#written.length
      await new Promise((resolve) => setTimeout(resolve, QUIET_MILLISECONDS))
    }
  }

  async peak(): Promise<number> {
    const pid = await processBelow(this.#process.pid ?? 0, 'lamina.js\0explore')
    return pid === undefined ? Number.NaN : peakMegabytes(pid)
  }

  async end(): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.stdin?.write('\x03')
    await ended
  }
}

const QUIET_MILLISECONDS = 15
