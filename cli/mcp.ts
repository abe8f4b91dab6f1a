/**
 * `lamina mcp`: tools for agents on stdin and stdout, which carry nothing else. The images, their credentials and where they are
 * read are those of the other commands.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Ask } from '../src/agents/call.ts'
import { agentServer } from '../src/agents/server.ts'
import { toolsOf } from '../src/agents/tools.ts'
import type { Client } from './client.ts'
import { credentialHeaders } from './credentials.ts'
import { findEngine } from './engine.ts'
import { Failure } from './failure.ts'
import { fromEngine, IMAGES, type Named, withTransports } from './names.ts'
import { failureOf } from './problem.ts'
import type { ReaderSettings } from './program.ts'
import { NO_PROGRESS } from './progress.ts'
import { trust } from './trust.ts'
import { withUploads } from './uploads.ts'

type Environment = Readonly<Record<string, string | undefined>>

type Context = {
  readonly env: Environment
  readonly signal: AbortSignal
  /** Writes to stderr. */
  warn(line: string): void
}

type Asker = Context & {
  readonly client: Client
  readonly source: ReaderSettings['source']
  /** A remote service answers, which cannot read this machine. */
  readonly isRemote: boolean
}

const MESSAGE_BYTES = 1024 * 1024
/** How long stopped work may take to end after the agent has left. */
const STOP_MILLISECONDS = 1_000

/** Until the agent closes stdin. */
export async function offerTools(settings: ReaderSettings, context: Context): Promise<void> {
  const server = settings.server ?? (context.env.LAMINA_SERVER || undefined)
  if (settings.insecure.length > 0 || settings.ca !== undefined)
    await trust(settings, { server, warn: context.warn })
  const client = await clientOf(settings, server, context)
  const asker = { ...context, client, source: settings.source, isRemote: server !== undefined }
  try {
    const tools = toolsOf(await describedBy(client, context.signal))
    const transport = new StdioServerTransport(process.stdin, process.stdout, {
      maxBufferSize: MESSAGE_BYTES,
    })
    const left = Promise.withResolvers<void>()
    for (const event of ['end', 'close', 'error']) process.stdin.once(event, () => left.resolve())
    // The agent is gone.
    process.stdout.once('error', () => left.resolve())
    context.signal.addEventListener('abort', () => left.resolve())
    const offered = serveStdio(() => agentServer(tools, asking(asker)), { transport })
    await left.promise
    await Promise.race([offered.close(), sleep(STOP_MILLISECONDS)])
  } finally {
    await Promise.race([client.close(), sleep(STOP_MILLISECONDS)])
  }
}

async function clientOf(
  { cache, insecure }: ReaderSettings,
  server: string | undefined,
  { env, warn }: Context,
): Promise<Client> {
  if (server !== undefined) {
    const { remoteClient } = await import('./remote.ts')
    return remoteClient(server, env.LAMINA_TOKEN || undefined)
  }
  const { localClient } = await import('./local.ts')
  // Without an engine the images of registries and archives can still be asked for.
  const engine = await findEngine(env).catch(() => undefined)
  return localClient({ env, cache, analyses: true, engine, insecure, warn })
}

/** The API's own description, which has the parameters of the tools. */
async function describedBy(client: Client, signal: AbortSignal): Promise<unknown> {
  const response = await client.request('/openapi.json', { headers: { accept: 'application/json' }, signal })
  if (!response.ok) throw await failureOf(response, client.reader)
  return response.json()
}

/** Asks the API with the images, as an agent names them, where they are. */
function asking(asker: Asker): Ask {
  return async (path, stop) => {
    const signal = AbortSignal.any([asker.signal, stop])
    const [endpoint = '', search] = path.split('?')
    const asked: Named = {
      parameters: parametersIn(new URLSearchParams(search)),
      settings: { source: asker.source },
    }
    try {
      refuseStdin(asked)
      return await answered(asker, endpoint, { asked: await withTransports(asked), signal })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return Response.json({ code: error.code, detail: error.message }, { status: 400 })
    }
  }
}

type Question = { readonly asked: Named; readonly signal: AbortSignal }

/** An image that its registry does not have may be the engine's, as for every command. */
async function answered(asker: Asker, endpoint: string, { asked, signal }: Question): Promise<Response> {
  const response = await sent(asker, endpoint, { asked, signal })
  if (response.status < 400) return response
  const failure = await failureOf(response.clone(), asker.client.reader)
  const elsewhere = await fromEngine(asked, failure, {
    env: asker.env,
    signal,
    tell: asker.warn,
  }).catch(() => undefined)
  return elsewhere === undefined ? response : sent(asker, endpoint, { asked: elsewhere, signal })
}

async function sent(asker: Asker, endpoint: string, { asked, signal }: Question): Promise<Response> {
  const { client, env, isRemote } = asker
  const references = IMAGES.flatMap((name) => asked.parameters.get(name) ?? [])
  const credentials = await credentialHeaders(references, env, signal)
  const headers = { ...credentials, accept: 'application/json' }
  const request = (uploaded: ReadonlyMap<string, string>) => {
    const query = new URLSearchParams()
    for (const [name, values] of asked.parameters)
      for (const value of values)
        query.append(name, IMAGES.includes(name) ? (uploaded.get(value) ?? value) : value)
    return client.request(`${endpoint}?${query}`, { headers, signal })
  }
  if (!isRemote) return request(new Map())
  const { promise, resolve, reject } = Promise.withResolvers<Response>()
  // Uploads are deleted once the answer has been read.
  withUploads({ client, env, signal, progress: NO_PROGRESS }, references, async (uploaded) => {
    const response = await request(uploaded)
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    resolve(new Response(readable, response))
    await response.body?.pipeTo(writable).catch(() => {})
  }).catch(reject)
  return promise
}

/** It carries the protocol. */
function refuseStdin({ parameters }: Named): void {
  for (const name of IMAGES)
    for (const value of parameters.get(name) ?? [])
      if (/^(?:[a-z-]+:)?-(?:$|[:@])/.test(value))
        throw new Failure(
          'invalid_reference',
          'stdin carries the protocol here: name the archive by its file',
        )
}

function parametersIn(query: URLSearchParams): ReadonlyMap<string, readonly string[]> {
  return new Map([...new Set(query.keys())].map((name) => [name, query.getAll(name)]))
}
