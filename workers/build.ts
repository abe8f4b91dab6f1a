/** Builds `dist/`: the pages' files, then the Worker as `wrangler deploy` would upload it. */
import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { assetNames, readAsset } from './assets.ts'
import { writeCompressed } from './compressed-assets.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

await mkdir(`${root}dist/assets`, { recursive: true })
for (const name of assetNames()) await writeFile(`${root}dist/assets/${name}`, (await readAsset(name)) ?? '')

await writeCompressed(`${root}dist/compressed`)

const wrangler = fileURLToPath(new URL('bin/wrangler.js', import.meta.resolve('wrangler/package.json')))
const built = spawnSync(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', 'dist/worker'], {
  cwd: root,
  encoding: 'utf8',
  env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' },
})
if (built.status !== 0) {
  process.stderr.write(built.stdout + built.stderr)
  process.exit(1)
}
