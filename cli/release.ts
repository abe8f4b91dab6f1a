/**
 * `npm run release`: everything that is published, in `dist/release/`. The same sources give the same bytes.
 *
 * - `lamina-oci-<version>.tgz`: the npm package, without dependencies
 * - `lamina-image-<version>.tar.gz`: the context of the container image, for `docker build -`
 * - `lamina-action-<version>.tar.gz` and `action/`: the GitHub Action
 * - `image-gate.yml`: the GitLab CI component
 * - `INSTALL.md`, `NOTES.md`, `lamina.rb`: how to install it, what is new, the formula for Homebrew
 * - `SHA256SUMS`
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { z } from 'zod'
import { contentPadding, END_OF_ARCHIVE, memberHeader } from '../src/tar/write.ts'
import { encodeText } from '../src/text/bytes.ts'
import { bundleNode } from '../workers/node/bundle.ts'
import { bundleAction, bundleCli } from './bundle.ts'
import { homebrewFormula, installPage, releaseNotes } from './release-pages.ts'
import { VERSION } from './version.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const NAME = 'lamina-oci'

/** @param folder is emptied first */
export async function release(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const work = await mkdtemp(join(tmpdir(), 'lamina-release-'))
  try {
    await packNpm(join(work, 'npm'), folder)
    const image = join(work, 'image')
    await bundleNode(join(image, 'dist/node'))
    await cp(join(ROOT, 'LICENSE'), join(image, 'LICENSE'))
    const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8')
    await writeFile(
      join(image, 'Dockerfile'),
      dockerfile.replace(/^ARG VERSION=.*$/m, `ARG VERSION=${VERSION}`),
    )
    await writeFile(join(folder, `lamina-image-${VERSION}.tar.gz`), await packed(image))
    const action = join(folder, 'action')
    await bundleAction(action)
    for (const [from, to] of [
      ['cli/action/action.yml', 'action.yml'],
      ['LICENSE', 'LICENSE'],
    ] as const)
      await cp(join(ROOT, from), join(action, to))
    await writeFile(join(folder, `lamina-action-${VERSION}.tar.gz`), await packed(action))
    const { homepage } = await describedPackage()
    const component = await readFile(join(ROOT, 'cli/image-gate.yml'), 'utf8')
    await writeFile(
      join(folder, 'image-gate.yml'),
      component.replaceAll('VERSION', VERSION).replaceAll('HOME/', `${homepage}/`),
    )
    await writePages(folder)
    await writeFile(join(folder, 'SHA256SUMS'), await sums(folder))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

const packageSchema = z.object({
  description: z.string(),
  license: z.string(),
  engines: z.object({ node: z.string() }),
  repository: z.object({ type: z.literal('git'), url: z.string() }),
  homepage: z.url(),
  bugs: z.url(),
})

async function describedPackage() {
  return packageSchema.parse(JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')))
}

async function writePages(folder: string): Promise<void> {
  const { description, license, engines, homepage } = await describedPackage()
  const archive = `${NAME}-${VERSION}.tgz`
  const facts = {
    version: VERSION,
    home: homepage,
    description,
    license,
    node: engines.node.replace('>=', ''),
    archive,
    digest: await digestOf(join(folder, archive)),
  }
  await writeFile(join(folder, 'INSTALL.md'), installPage(facts))
  await writeFile(join(folder, 'lamina.rb'), homebrewFormula(facts))
  const changelog = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8')
  await writeFile(join(folder, 'NOTES.md'), releaseNotes(changelog, VERSION))
}

async function digestOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

async function packNpm(folder: string, to: string): Promise<void> {
  await bundleCli(folder)
  await cp(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'))
  await cp(join(ROOT, 'docs/cli.md'), join(folder, 'README.md'))
  const { description, license, engines, repository, homepage, bugs } = await describedPackage()
  const described = {
    name: NAME,
    version: VERSION,
    description,
    license,
    repository,
    homepage,
    bugs,
    type: 'module',
    bin: { lamina: 'lamina.js' },
    engines,
  }
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(described, null, 2)}\n`)
  await normalise(folder)
  await promisify(execFile)('npm', ['pack', '--silent', '--pack-destination', to], { cwd: folder })
}

/** Modes that do not depend on the builder's umask. */
async function normalise(folder: string): Promise<void> {
  for (const { path } of await filesIn(folder))
    await chmod(join(folder, path), path === 'lamina.js' ? 0o755 : 0o644)
}

type File = { readonly path: string; readonly bytes: number }

/** By path, byte by byte. */
async function filesIn(folder: string): Promise<readonly File[]> {
  const files: File[] = []
  for (const path of (await readdir(folder, { recursive: true })).sort()) {
    const stats = await stat(join(folder, path))
    if (stats.isFile()) files.push({ path, bytes: stats.size })
  }
  return files
}

/** A folder as a tar.gz that does not reveal when and by whom it was made. */
async function packed(folder: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (const { path, bytes } of await filesIn(folder)) {
    const file = {
      path: encodeText(path),
      type: 'file',
      bytes,
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: 0,
    } as const
    parts.push(memberHeader(file), await readFile(join(folder, path)), contentPadding(bytes))
  }
  return gzipSync(Buffer.concat([...parts, END_OF_ARCHIVE]), { level: 9 })
}

async function sums(folder: string): Promise<string> {
  const lines: string[] = []
  for (const { path } of await filesIn(folder)) {
    lines.push(`${await digestOf(join(folder, path))}  ${path}\n`)
  }
  return lines.join('')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(ROOT, 'dist/release')
  await release(folder)
  process.stdout.write(await readFile(join(folder, 'SHA256SUMS'), 'utf8'))
}
