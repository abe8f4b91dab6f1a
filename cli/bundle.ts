/**
 * The command as a folder that needs nothing but Node: `node dist/cli/lamina.js`. It contains the code, the WASM modules and
 * the files of the pages that `serve` serves.
 */
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'
import { bundle } from '../workers/node/bundle.ts'
import { readApi } from './api.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** The current parameters of the API, in place of the code that reads them. */
const api: Plugin = {
  name: 'api',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]cli[/\\]api\.ts$/ }, async () => ({
      contents: `const api = ${JSON.stringify(await readApi())}\nexport const readApi = async () => api\n`,
      loader: 'js',
    }))
  },
}

/** @param folder is emptied first */
export async function bundleCli(folder: string): Promise<void> {
  await bundle({
    folder,
    entries: { lamina: join(HERE, 'main.ts') },
    plugins: [api],
    minify: true,
    // Large, and needed only by those who make a lake.
    external: ['@duckdb/node-api'],
  })
  await chmod(join(folder, 'lamina.js'), 0o755)
}

/** The GitHub Action: `index.js`, and what it loads. @param folder is emptied first */
export async function bundleAction(folder: string): Promise<void> {
  const entries = { index: join(HERE, 'action/main.ts') }
  // It keeps its index in a folder: nothing loads the S3 client.
  const external = ['@aws-sdk/client-s3']
  await bundle({ folder, entries, plugins: [api], minify: true, isService: false, external })
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await bundleCli(fileURLToPath(new URL('../dist/cli/', import.meta.url)))
