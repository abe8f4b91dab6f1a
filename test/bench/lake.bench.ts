/**
 * The questions of `docs/fleet.md` on 20,000 synthetic images, asked over the tables as they are stored and over the lake
 * that `lamina lake` makes of them, with the number of reads for each (each is one request to a bucket); also how long it
 * takes to make the lake, and to add 1,000 images. `LAMINA_FLEET_IMAGES` changes the number of images.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { makeLake } from '../../cli/make-lake.ts'
import { line, seconds } from './measure.ts'
import { writeFleet } from './synthetic-fleet.ts'

const IMAGES = Number(process.env.LAMINA_FLEET_IMAGES ?? 20_000)
const MORE = IMAGES / 20
const THREADS = 2

const QUESTIONS = [
  'images that contain a path',
  'images that contain a content',
  'images that carry a secret',
  'layers in several images',
  'shared bytes of two images',
  'shared bytes in all',
  'contents in several layers',
  'largest layers',
  'packages at a version',
  'versions in use',
] as const

export default async function lake(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'lamina-bench-'))
  try {
    const data = join(root, 'data')
    const out = join(root, 'lake')
    await writeFleet(data, 0, IMAGES)
    await askAll('stored', 'views', data)
    line(`lake of ${IMAGES} images`, { seconds: await seconds(() => compact(data, out)) })
    await askAll('compacted', 'lake views', out)
    await writeFleet(data, IMAGES, MORE)
    line(`${MORE} images more`, { seconds: await seconds(() => compact(data, out)) })
    line('nothing new', { seconds: await seconds(() => compact(data, out)) })
  } finally {
    await rm(root, { recursive: true })
  }
}

function compact(data: string, out: string): Promise<string> {
  return makeLake({ env: { LAMINA_DATA: data }, out, batch: '2500', tell: () => {} })
}

/** Asks each question in a process that has read nothing yet. */
export async function askAll(what: string, views: string, folder: string): Promise<void> {
  const blocks = await statements()
  for (const question of QUESTIONS) {
    const connection = await (await DuckDBInstance.create(':memory:', { threads: `${THREADS}` })).connect()
    await connection.run(`SET VARIABLE lake = '${folder}'`)
    for (const view of blocks.get(views) ?? [])
      if (!view.startsWith('SET VARIABLE')) await connection.run(view)
    await connection.run("CALL enable_logging('FileSystem')")
    const [query = ''] = blocks.get(question) ?? []
    let rows = 0
    const before = process.cpuUsage()
    const took = await seconds(async () => {
      rows = (await connection.runAndReadAll(query)).currentRowCount
    })
    const { user, system } = process.cpuUsage(before)
    const reads = await connection.runAndReadAll(
      `SELECT count(*)::INTEGER FROM duckdb_logs WHERE parse_duckdb_log_message('FileSystem', message).op = 'READ'`,
    )
    line(`${what}: ${question}`, {
      seconds: took,
      'CPU seconds': (user + system) / 1e6,
      reads: String(reads.getRowsJson()[0]),
      rows: String(rows),
    })
    connection.closeSync()
    if (rows === 0)
      throw new Error(`${what}: nothing answers the question for ${question}: it measures nothing`)
  }
}

/** The statements in each code block of the page. */
async function statements(): Promise<ReadonlyMap<string, readonly string[]>> {
  const page = await readFile(new URL('../../docs/fleet.md', import.meta.url), 'utf8')
  const blocks = page.matchAll(/^```sql (.+)\n([\s\S]*?)^```$/gm)
  return new Map(
    Array.from(blocks, ([, name = '', text = '']) => [
      name,
      text.split(/;\n/).filter((statement) => statement.trim() !== ''),
    ]),
  )
}
