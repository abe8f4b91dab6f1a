/** `node src/http/openapi/openapi.ts` writes `openapi.yaml`; with `--check` it only exits with 1 if the file is stale. */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseConfiguration } from '../../configuration.ts'
import { Memory } from '../../open/caches.ts'
import { RegistryClient } from '../../source/registry/client.ts'
import { createApp } from '../app.ts'
import { openApiDocument } from './document.ts'
import { openApiYaml } from './yaml.ts'

const FILE = fileURLToPath(new URL('../../../openapi.yaml', import.meta.url))

/** The routes need nothing from a host before the first request. */
function unasked(): never {
  throw new Error('the description must not use the host')
}

function description(): string {
  const configuration = parseConfiguration({}, 'node')
  const store = { get: unasked, has: unasked, put: unasked, delete: unasked, list: unasked }
  const host = {
    configuration,
    fetch: unasked,
    store,
    jobs: { start: unasked, watch: unasked },
    imageQueue: { add: unasked, holds: unasked },
    wasm: unasked,
  }
  const client = new RegistryClient({ fetch: unasked, configuration })
  return openApiYaml(openApiDocument(createApp({ host, client, memory: new Memory() })))
}

if (process.argv[2] === '--check') {
  const written = await readFile(FILE, 'utf8').catch(() => '')
  if (written !== description()) {
    console.error('openapi.yaml is stale: run `npm run openapi`')
    process.exitCode = 1
  }
} else {
  await writeFile(FILE, description())
}
