/** Advice on an indexed image, against one pass over the tables that it uses: the same columns, looking at every value. */

import { openImage } from '../../src/open/open-image.ts'
import { adviceOf } from '../../src/service/images/advice.ts'
import { knownFacts } from '../../src/service/images/analyse.ts'
import {
  duplicatesOf,
  filesTable,
  membersTable,
  WHOLE_FETCH_BYTES,
  wasteOf,
} from '../../src/service/images/image-tables.ts'
import { startApp } from '../support/app.ts'
import { best, line, REGISTRY, seconds } from './measure.ts'

const RUNS = 40

export default async function advice(): Promise<void> {
  const { ask, service } = startApp()
  const { store } = service.host
  const reference = `${REGISTRY}/app:v1`
  await ask(`/v1/report?image=${reference}&wait=300`)
  const image = await openImage(service, { reference, credentials: { for: () => undefined } })
  const facts = await knownFacts(service, image)
  if (facts === undefined) throw new Error(`${reference} is not analysed`)

  const readTables = async () => {
    let seen = 0
    const fetchBytes = WHOLE_FETCH_BYTES
    const look = async (rows: AsyncIterable<readonly object[]>, columns: readonly string[]) => {
      for await (const batch of rows) {
        for (const row of batch)
          for (const column of columns) if (Reflect.get(row, column) !== undefined) seen++
      }
    }
    const files = ['key', 'type', 'bytes', 'layer', 'inode'] as const
    await look((await filesTable(store, image)).rows({ columns: files, fetchBytes }), files)
    const members = ['key', 'type', 'bytes', 'whiteout'] as const
    for (const layer of image.manifest.layers.keys()) {
      await look((await membersTable(store, image, layer)).rows({ columns: members, fetchBytes }), members)
    }
    await look((await wasteOf(store, image))(0, fetchBytes), ['key', 'bytes', 'layer', 'reason', 'byLayer'])
    await look((await duplicatesOf(store, image, 'image'))(0, fetchBytes), [
      'bytes',
      'count',
      'wastedBytes',
      'paths',
    ])
    return seen
  }

  const [ours, tables]: [number[], number[]] = [[], []]
  for (let run = 0; run < RUNS; run++) {
    tables.push(await seconds(readTables))
    ours.push(await seconds(() => adviceOf(store, { image, facts })))
  }
  line('advice on app:v1', { seconds: best(ours), tables: best(tables), ratio: best(ours) / best(tables) })
}
