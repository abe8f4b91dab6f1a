/** `lamina explore` in this process, on an emulator, with a service in this process. */
import type { Client } from '../../cli/client.ts'
import { Questions } from '../../cli/explore/questions.ts'
import { runExplorer } from '../../cli/explore/run.ts'
import { NO_PROGRESS } from '../../cli/progress.ts'
import type { AskedApp } from './app.ts'
import { Emulator, Keyboard } from './emulator.ts'

export type Explored = {
  readonly emulator: Emulator
  readonly keyboard: Keyboard
  /** Types keys, as the bytes that a terminal sends. */
  type(keys: string): void
  /** Rejects if the image cannot be opened. */
  readonly ended: Promise<void>
  /** Leaves it, from wherever it is. */
  leave(): Promise<void>
}

export type ExploreOptions = {
  readonly columns?: number
  readonly rows?: number
  readonly hasColour?: boolean
}

export function explored(
  app: AskedApp,
  [image, image2]: readonly [image: string, image2?: string],
  { columns = 80, rows = 24, hasColour = true }: ExploreOptions = {},
): Explored {
  const stop = new AbortController()
  const client: Client = {
    reader: 'command',
    request: (path, question) => app.ask(path, question),
    close: async () => {},
  }
  const caller = { client, headers: {}, signal: stop.signal, progress: NO_PROGRESS, watches: false }
  const questions = (name: string) => new Questions(caller, { image: name }, undefined)
  const emulator = new Emulator({ columns, rows })
  const keyboard = new Keyboard()
  const ended = runExplorer(
    { image: questions(image), image2: image2 === undefined ? undefined : questions(image2) },
    {
      input: keyboard,
      output: emulator,
      look: { hasColour },
      forget: async () => {},
      signal: stop.signal,
    },
  )
  // Who waits for it later sees the failure.
  ended.catch(() => {})
  return {
    emulator,
    keyboard,
    type: (keys) => void keyboard.write(keys),
    ended,
    async leave() {
      stop.abort()
      await ended.catch(() => {})
      await emulator.close()
    },
  }
}
