/** What the documents for contributors say about the code is true: folders, files, scripts, links. */
import { existsSync } from 'node:fs'
import { glob, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { z } from 'zod'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'docs/architecture.md',
  'docs/service.md',
  'docs/performance.md',
  'docs/reliability.md',
]

const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8')

test('the architecture names every folder of code', async () => {
  const files = await Array.fromAsync(glob('{src,workers,test,cli}/**/*.{ts,css}', { cwd: ROOT }))
  const folders = [...new Set(files.map(dirname))].filter((folder) => folder !== 'src').sort()
  const architecture = await read('docs/architecture.md')
  const missing = folders.filter((folder) => {
    const name = folder === 'src/pages/assets' ? 'assets/' : `\`${folder}/\``
    return !architecture.includes(name)
  })
  expect(missing).toEqual([])
})

test('the first files that the architecture names for a folder exist', async () => {
  const rows = (await read('docs/architecture.md')).matchAll(/^\| `([\w/]+\/)`\s*\|.*\| (.*?)\s*\|$/gm)
  const named = [...rows].flatMap(([, folder, files = '']) =>
    [...files.matchAll(/`([\w./-]+)`/g)].map(([, file]) => `${folder}${file}`),
  )
  expect(named.length).toBeGreaterThan(30)
  expect(named.filter((file) => !existsSync(join(ROOT, file)))).toEqual([])
})

test.each(DOCUMENTS)('%s names files, links and scripts that exist', async (path) => {
  const text = await read(path)
  const files = [...text.matchAll(/`((?:src|workers|test|docs)\/[\w./-]*\w\.\w+)`/g)].map(
    ([, file = '']) => file,
  )
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, to = '']) => join(dirname(path), to))
  expect([...files, ...links].filter((file) => !existsSync(join(ROOT, file)))).toEqual([])
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(await read('package.json')))
  const runs = [...text.matchAll(/`npm run ([\w:-]+)/g)].map(([, script = '']) => script)
  expect(runs.filter((script) => !(script in scripts))).toEqual([])
  expect(text).not.toContain('../shared')
})
