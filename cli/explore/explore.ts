/** `lamina explore`: the explorer on the terminal of this process, with the answers of this process or of a service. */
import { stayCompact } from '../../workers/node/threads/v8.ts'
import type { ApiCaller } from '../ask.ts'
import type { Client } from '../client.ts'
import { credentialHeaders } from '../credentials.ts'
import { Failure } from '../failure.ts'
import type { Request } from '../program.ts'
import { NO_PROGRESS, progressLine } from '../progress.ts'
import { withUploads } from '../uploads.ts'
import { Questions } from './questions.ts'
import { runExplorer } from './run.ts'

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
  // It may read the names of a million files.
  stayCompact()
  await runExplorer(
    { image, image2 },
    {
      input: process.stdin,
      output: process.stdout,
      look: { hasColour: !env.NO_COLOR },
      forget: async () => client.forget?.(),
      signal,
    },
  )
}
