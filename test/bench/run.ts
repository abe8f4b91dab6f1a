/**
 * `npm run bench [NAME…]`: each benchmark is measured against a reference in the same run and prints the ratio, since only
 * that carries over from machine to machine. Images come from the registry at `CORPUS_REGISTRY`.
 */
import { readdir } from 'node:fs/promises'

const names = (await readdir(new URL('.', import.meta.url)))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.slice(0, -'.bench.ts'.length))
const asked = process.argv.slice(2)

for (const unknown of asked.filter((name) => !names.includes(name))) {
  console.error(`no benchmark ${unknown}: there are ${names.join(', ')}`)
  process.exit(2)
}
for (const name of asked.length > 0 ? asked : names) {
  console.log(`# ${name}`)
  const { default: bench }: { default: () => Promise<void> } = await import(`./${name}.bench.ts`)
  await bench()
}
