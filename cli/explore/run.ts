/** The explorer on a terminal: keys in, frames out. */
import { Explorer, type Images } from './explorer.ts'
import type { Look } from './look.ts'
import { press } from './press.ts'
import { Terminal, type TerminalInput, type TerminalOutput } from './terminal.ts'
import { SLICE_MILLISECONDS } from './tree-walk.ts'
import { view } from './view.ts'

export type Stage = {
  readonly input: TerminalInput
  readonly output: TerminalOutput
  readonly look: Look
  /** Forgets what registries have said. */
  forget(): Promise<void>
  readonly signal: AbortSignal
}

/** Resolves when the user leaves. @throws Failure if the image cannot be opened */
export async function runExplorer(
  images: Images,
  { input, output, look, forget, signal }: Stage,
): Promise<void> {
  const ended = Promise.withResolvers<void>()
  let isDue = false
  /** A frame waits until the terminal has taken the last one. */
  let isLate = false
  const draw = () => {
    isDue = false
    isLate = terminal.isBusy
    if (isLate) return
    if (explorer.walk.hasWork) {
      explorer.walk.work(performance.now() + SLICE_MILLISECONDS)
      if (explorer.walk.hasWork) due()
    }
    explorer.settle(terminal.size)
    terminal.draw(view(explorer, terminal.size, look))
  }
  const due = () => {
    if (isDue) return
    isDue = true
    setImmediate(draw)
  }
  const explorer = new Explorer(
    images,
    {
      changed: due,
      copy: (bytes) => terminal.copy(bytes),
      suspend: () => terminal.suspend(),
      redraw: () => terminal.redraw(),
      interrupt: () => process.kill(process.pid, 'SIGINT'),
      quit: () => ended.resolve(),
      fail: (error) => ended.reject(error),
      forget,
    },
    signal,
  )
  const terminal = new Terminal(input, output, {
    onKeys: (keys) => {
      for (const key of keys) press(explorer, key)
    },
    onResize: due,
    onTaken: () => {
      if (isLate) due()
    },
    onEnd: () => ended.resolve(),
  })
  signal.addEventListener('abort', () => ended.resolve())
  terminal.take()
  try {
    due()
    void explorer.open()
    await ended.promise
  } finally {
    terminal.give()
  }
}
