/** Runs a command line: its answer and its exit code. */
import { CommanderError } from 'commander'
import { type Api, readApi } from './api.ts'
import type { EngineAddress } from './engine.ts'
import { Failure } from './failure.ts'
import { ReaderLeft } from './output.ts'
import { createProgram, type Request } from './program.ts'
import { VERSION } from './version.ts'

/** Signals that end a command, with the exit code that a shell expects for each. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
/** How long stopped work may take to clean up. */
const STOP_MILLISECONDS = 2_500

/** Ends the process. */
export async function run(words: readonly string[]): Promise<void> {
  process.exit(await codeOf(words))
}

async function codeOf(words: readonly string[]): Promise<number> {
  const stop = new AbortController()
  let stopped: number | undefined
  const listen = () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => {
        if (stopped !== undefined) process.exit(SIGNALS[signal])
        stopped = SIGNALS[signal]
        stop.abort()
        setTimeout(() => process.exit(SIGNALS[signal]), STOP_MILLISECONDS)
      })
  }
  let code = 0
  try {
    const api = await readApi()
    const program = createProgram(api, {
      ask: async (request) => {
        listen()
        code = await asked(api, request, stop.signal)
      },
      lake: async ({ folder, batch, quiet }) => {
        const { makeLake } = await import('./make-lake.ts')
        const tell = (line: string) => void (quiet || process.stderr.write(`${line}\n`))
        const done = await makeLake({ env: process.env, out: folder, batch, tell })
        process.stdout.write(`${done}\n`)
      },
      mcp: async (settings) => {
        listen()
        const { offerTools } = await import('./mcp.ts')
        await offerTools(settings, { env: process.env, signal: stop.signal, warn })
      },
      serve,
      completion: async (shell) => {
        const { completionScript } = await import('./completion.ts')
        process.stdout.write(completionScript(shell, program, api))
      },
      version: () => process.stdout.write(`lamina ${VERSION}\n`),
    })
    await program.parseAsync(wordsFor(program.commands, words), { from: 'user' })
    return stopped ?? code
  } catch (error) {
    return stopped ?? tell(error)
  }

  async function asked(api: Api, typed: Request, signal: AbortSignal): Promise<number> {
    const server = typed.settings.server ?? (process.env.LAMINA_SERVER || undefined)
    const { fromEngine, withTransports } = await import('./names.ts')
    if (typed.settings.insecure.length > 0 || typed.settings.ca !== undefined)
      await (await import('./trust.ts')).trust(typed.settings, { server, warn })
    if (typed.command.kind === 'open') {
      const { openPages, refuseServer } = await import('./open.ts')
      if (server !== undefined) refuseServer(server)
      await openPages(await withTransports(typed), { env: process.env, signal, warn })
      return 0
    }
    if (typed.command.kind === 'explore') refuseWithoutTerminal()
    for (let request = await withTransports(typed); ; ) {
      const client = await clientOf(request, api, server)
      try {
        const context = { client, isRemote: server !== undefined, env: process.env, signal }
        if (typed.command.kind === 'explore') {
          const { explore } = await import('./explore/explore.ts')
          await explore(context, request)
          return 0
        }
        const { answer } = await import('./answer.ts')
        return await answer({ api, ...context }, request)
      } catch (error) {
        request = await fromEngine(request, error, { env: process.env, signal, tell: warn })
      } finally {
        await client.close()
      }
    }
  }
}

function warn(line: string): void {
  process.stderr.write(`lamina: ${line}\n`)
}

function hasTerminal(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== 'dumb'
}

/** @throws Failure */
function refuseWithoutTerminal(): void {
  if (hasTerminal()) return
  throw new Failure('usage', 'lamina explore needs a terminal; lamina tree IMAGE writes the tree anywhere')
}

/** Help by default; an image on a terminal is explored; the help of a command that does not exist is told like the command itself. */
function wordsFor(
  commands: readonly { name(): string; aliases(): readonly string[] }[],
  words: readonly string[],
): readonly string[] {
  const [first, second] = words
  if (first === undefined) return ['--help']
  const names = ['help', ...commands.flatMap((one) => [one.name(), ...one.aliases()])]
  if (!first.startsWith('-') && !names.includes(first) && hasTerminal()) return ['explore', ...words]
  const isKnown = names.includes(second ?? 'help')
  return first === 'help' && !isKnown ? words.slice(1) : words
}

async function clientOf(request: Request, api: Api, server: string | undefined) {
  if (server !== undefined) {
    const { remoteClient } = await import('./remote.ts')
    return remoteClient(server, process.env.LAMINA_TOKEN || undefined)
  }
  const { localClient } = await import('./local.ts')
  const { command, settings } = request
  // Only what needs an analysis can wait for it.
  const analyses = command.endpoints.some((path) => api[path]?.some(({ name }) => name === 'wait'))
  const { cache, insecure } = settings
  const engine = await engineOf(request)
  return localClient({ env: process.env, cache, analyses, engine, insecure, warn })
}

/** The engine that the images of a request may be in. */
async function engineOf({ command, settings, parameters }: Request): Promise<EngineAddress | undefined> {
  const isNamed = [...parameters.values()].flat().some((value) => value.startsWith('docker-daemon:'))
  if (!isNamed && command.kind !== 'index') return undefined
  const { findEngine } = await import('./engine.ts')
  const engine = findEngine(process.env)
  // Registries are read without it, too.
  return isNamed || settings.list !== undefined ? engine : engine.catch(() => undefined)
}

/** Serves until stopped; for this machine alone, with the registries on it. */
async function serve(): Promise<void> {
  const [{ isLoopback }, { LOOPBACK, withRanges }] = await Promise.all([
    import('../src/configuration.ts'),
    import('./own-network.ts'),
  ])
  if (isLoopback(process.env.HOST || '127.0.0.1'))
    for (const name of ['LAMINA_PRIVATE_REGISTRIES', 'LAMINA_INSECURE_REGISTRIES'])
      process.env[name] = withRanges(process.env[name], LOOPBACK)
  delete process.env.LAMINA_SERVER
  delete process.env.LAMINA_TOKEN
  await import('../workers/node/start.ts')
  await new Promise(() => {})
}

/** On stderr, on one line. @returns the exit code */
function tell(error: unknown): number {
  if (error instanceof ReaderLeft) return 0
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    process.stderr.write(`${new Failure('invalid_parameter', usageOf(error)).line}\n`)
    return 2
  }
  if (error instanceof Failure) {
    process.stderr.write(`${error.line}\n`)
    return 2
  }
  const said = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${new Failure('internal_error', said).line}\n`)
  return 2
}

/** Commander's own message on one line: `unknown option '--platfrom'; did you mean --platform?` */
function usageOf({ message }: CommanderError): string {
  return message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)/, '; did you mean $1?')
    .replace(/^(unknown command '[^']*')$/, '$1; lamina help lists them')
    .replace(/\s+/g, ' ')
}
