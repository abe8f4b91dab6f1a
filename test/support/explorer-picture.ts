/**
 * A picture of the explorer for the README and `docs/cli.md`: a real screen about an image from the registry at `CORPUS_REGISTRY`.
 * `npm run screenshots` makes it, too.
 */
import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { REGISTRY } from '../bench/measure.ts'
import { startApp } from './app.ts'
import type { Cell } from './emulator.ts'
import { explored } from './explored.ts'
import { terminalPicture } from './terminal-picture.ts'

const OUT = new URL('../../docs/explore.svg', import.meta.url)
/** What the picture shows in place of the registry on this machine. */
const SHOWN_REGISTRY = 'registry.example'
const COLUMNS = 96
const POLL_MILLISECONDS = 20

/** Keys, and what the screen shows after each. */
const STEPS = [
  ['', '+ usr/'],
  ['L', 'layer 0'],
  [']', 'layer 1'],
  ['/var/cache\r', 'var/cache/  '],
  ['l', 'apt/'],
  ['/var/lib/dpkg\r', 'var/lib/dpkg/  '],
  ['l', 'status'],
] as const

const one = explored(startApp({ LAMINA_INSECURE_REGISTRIES: REGISTRY }), [`${REGISTRY}/app:v1`], {
  columns: COLUMNS,
  rows: 24,
})
const { emulator } = one
for (const [keys, shown] of STEPS) {
  one.type(keys)
  while (!emulator.text.includes(shown)) await Promise.race([sleep(POLL_MILLISECONDS), one.ended])
}
const rows = emulator.lines.map((_, y) => named(emulator.cells(y)))
await one.leave()
await writeFile(
  OUT,
  terminalPicture(rows, 'lamina explore: what layer 1 of app:v1 added, changed and removed'),
)
console.log(`${OUT.pathname}: ${rows.length} lines`)
process.exit()

/** With the name of another registry, in as many columns. */
function named(row: readonly Cell[]): readonly Cell[] {
  const at = row
    .map(({ text }) => text || ' ')
    .join('')
    .indexOf(REGISTRY)
  const style = row[at]
  if (at < 0 || style === undefined) return row
  const name = Array.from(SHOWN_REGISTRY, (text) => ({ ...style, text, width: 1 }))
  return [...row.slice(0, at), ...name, ...row.slice(at + REGISTRY.length)].slice(0, COLUMNS)
}
