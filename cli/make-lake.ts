/** `lamina lake`: compacts the store of a service, or the user's cache, into a folder of large tables. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseConfiguration } from '../src/configuration.ts'
import { openStore } from '../workers/node/host.ts'
import { Failure } from './failure.ts'
import { compact } from './lake/compact.ts'
import { Database } from './lake/duckdb.ts'
import { LakeFolder } from './lake/folder.ts'
import { copiedSource, folderSource } from './lake/source.ts'

type Environment = Readonly<Record<string, string | undefined>>

export type LakeRequest = {
  readonly env: Environment
  readonly out: string
  readonly batch: string
  /** Called with the progress. */
  readonly tell: (line: string) => void
}

/** @returns the sentence that says what was done */
export async function makeLake({ env, out, batch, tell }: LakeRequest): Promise<string> {
  const configuration = settingsOf(env)
  const folder = new LakeFolder(resolve(out))
  await folder.prepare()
  const database = await Database.open(folder.lockFile, folder.temporary)
  try {
    const store = await openStore(configuration)
    const source =
      configuration.s3 === undefined
        ? folderSource(configuration.data, store)
        : copiedSource(store, folder.temporary)
    const { images, layers, skipped } = await compact({
      database,
      folder,
      source,
      batch: batchOf(batch),
      tell,
    })
    const left = skipped === 0 ? '' : `; ${skipped} images without tables left out`
    return `${images} images and ${layers} layers added to ${out}${left}`
  } finally {
    database.close()
  }
}

/** The service's own settings; without them, the command's cache. */
function settingsOf(env: Environment) {
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lamina')
  try {
    const { data, ...rest } = parseConfiguration(env, 'node')
    return { ...rest, data: resolve(env.LAMINA_DATA ? data : cache) }
  } catch (error) {
    throw new Failure('invalid_setting', error instanceof Error ? error.message : String(error))
  }
}

function batchOf(text: string): number {
  const batch = Number(text)
  if (!Number.isInteger(batch) || batch < 1 || batch > 100_000)
    throw new Failure('invalid_parameter', `--batch ${text}: must be a number from 1 to 100000`)
  return batch
}
