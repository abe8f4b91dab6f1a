/** `lamina explore`: the explorer on the terminal of this process, with the answers of this process or of a service. */
import type { ApiCaller } from '../ask.ts'
import type { Client } from '../client.ts'
import { credentialHeaders } from '../credentials.ts'
import { Failure } from '../failure.ts'
import type { Request } from '../program.ts'
import { NO_PROGRESS, progressLine } from '../progress.ts'
import { withUploads } from '../uploads.ts'
import { Explorer } from './explorer.ts'
import { press } from './press.ts'
import { Questions } from './questions.ts'
import { Terminal } from './terminal.ts'
import { SLICE_MILLISECONDS } from './tree-walk.ts'
import { view } from './view.ts'

export type ExploreContext = {
  readonly client: Client
  /** A remote service answers, which cannot read this machine. */
  readonly isRemote: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

/** Resolves when the user leaves. @throws Failure if the image cannot be opened */
export async function explore(context: ExploreContext, request: Request): Promise<void> {
  const [image = ''] = request.parameters.get('image') ?? []
  const [image2] = request.parameters.get('to') ?? []
  const names = image2 === undefined ? [image] : [image, image2]
  if (!context.isRemote) return exploreAs(context, request, names)
  const progress = request.settings.quiet ? NO_PROGRESS : progressLine(process.stderr)
  await withUploads({ ...context, progress }, names, (uploaded) =>
    exploreAs(
      context,
      request,
      names.map((name) => uploaded.get(name) ?? name),
    ),
  )
}

async function exploreAs(context: ExploreContext, request: Request, names: readonly string[]): Promise<void> {
  const { client, env, signal } = context
  const caller: ApiCaller = {
    client,
    headers: await credentialHeaders(names, env, signal),
    signal,
    progress: NO_PROGRESS,
    watches: false,
  }
  const platform = request.parameters.get('platform')?.[0]
  const read = request.parameters.get('read')?.[0]
  const [image, image2] = names.map((name) => new Questions(caller, { image: name, platform }, read))
  if (image === undefined) throw new Failure('usage', 'name an image: lamina explore IMAGE')
  await onTerminal({ image, image2 }, context)
}

async function onTerminal(
  images: Explorer['images'],
  { client, env, signal }: ExploreContext,
): Promise<void> {
  const look = { hasColour: !env.NO_COLOR }
  const ended = Promise.withResolvers<void>()
  let isDue = false
  const draw = () => {
    isDue = false
    // The next frame waits until the terminal has taken the last one.
    if (terminal.isBusy) return
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
      forget: async () => client.forget?.(),
    },
    signal,
  )
  const terminal = new Terminal(process.stdin, process.stdout, {
    onKeys: (keys) => {
      for (const key of keys) press(explorer, key)
    },
    onResize: due,
    onDrain: due,
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
