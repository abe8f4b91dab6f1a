/** `lamina ls docker-daemon:`: the images of an engine. */
import type { ListTable } from '../src/formats/list.ts'
import type { TextStyle } from '../src/formats/table.ts'
import { Problem } from '../src/problem.ts'
import { formatBytes } from '../src/text/format.ts'
import { DockerEngine } from '../workers/node/engine/engine.ts'
import { FolderStore } from '../workers/node/store/folder-store.ts'
import { type EngineAddress, findEngine } from './engine.ts'
import { Failure } from './failure.ts'
import { itemList } from './item-list.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Stands for an engine's own list, in place of a repository. */
export const ENGINE_LIST = 'docker-daemon:'

type Item = {
  /** Absent for an image that lost its name to another one. */
  readonly name?: string
  readonly id: string
  readonly created: string
  readonly bytes: number
}

const FIELDS = ['name', 'id', 'created', 'bytes']
/** Shortened like in Docker. */
const ID_LENGTH = 12

const TABLE: ListTable<Item> = {
  columns: [
    { title: 'Name', align: 'left' },
    { title: 'Image ID', align: 'left' },
    { title: 'Created', align: 'left' },
    { title: 'Size', align: 'right' },
  ],
  rows: ({ name, id, created, bytes }) => [
    {
      cells: [
        name === undefined ? ['(untagged)'] : [{ name }],
        [id.replace('sha256:', '').slice(0, ID_LENGTH)],
        [created.slice(0, 16).replace('T', ' ')],
        [formatBytes(bytes)],
      ],
    },
  ],
  empty: 'The engine has no images.',
}

export function openEngine({ host, certificates }: EngineAddress): DockerEngine {
  // Adds nothing here.
  return new DockerEngine(host, { files: new FolderStore('/nonexistent'), certificates })
}

/** The list in one of the forms that lists have. @throws Failure if the engine cannot be reached */
export async function* engineImages(
  env: Environment,
  {
    format,
    style,
    signal,
  }: { readonly format: string; readonly style: TextStyle; readonly signal: AbortSignal },
): AsyncGenerator<string> {
  const address = await findEngine(env)
  const items = await listed(address, signal)
  const total = `${items.length} ${items.length === 1 ? 'image' : 'images'}`
  const heading = { subject: address.host, total: [total] }
  yield* itemList({ heading, items, fields: FIELDS, table: TABLE }, format, style)
}

async function listed(address: EngineAddress, signal: AbortSignal): Promise<readonly Item[]> {
  try {
    const images = await openEngine(address).list(signal)
    return images.flatMap(({ names, id, created, bytes }) => {
      const facts = { id, created: new Date(created * 1000).toISOString(), bytes }
      return names.length === 0 ? [facts] : names.map((name) => ({ name, ...facts }))
    })
  } catch (error) {
    throw error instanceof Problem ? new Failure(error.code, error.message) : error
  }
}
