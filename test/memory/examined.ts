/**
 * Takes what is inside many files into an inventory, in a separate process. Prints how many files there was room for.
 *
 * node --max-old-space-size=112 test/memory/examined.ts FILES
 */
import { Inventory } from '../../src/image/packages/inventory.ts'
import { ShownDatabases } from '../../src/image/packages/shown-databases.ts'
import { pieces } from '../support/findings.ts'

const ARTIFACTS = 30_000

const inventory = new Inventory(new ShownDatabases())
const files = Number(process.argv[2])
for (let ordinal = 0; ordinal < files; ordinal++) {
  const artifacts = Array.from({ length: ARTIFACTS }, (_, i) => ({ group: 'g', name: `a${i}` }))
  const json = JSON.stringify({ jar: { artifacts, inner: [] } })
  await inventory.read(0, {
    key: `${ordinal}.jar`,
    ordinal,
    bytes: json.length,
    isExamined: true,
    content: pieces(json, 100_000),
  })
}
process.stdout.write(`${files - inventory.leftOut.length}`)
