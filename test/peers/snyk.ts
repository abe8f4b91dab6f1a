/** snyk-docker-plugin, which reads Go programs and jars in image archives. It is fetched when it is first needed. */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'

/** 184 packages of 72 MB, so it is no development dependency. */
const NAME = 'snyk-docker-plugin'
const VERSION = '9.20.2'
/** Not every registry has the version of shescape that it asks for. It quotes the arguments of docker, which is not called here. */
const OVERRIDES = { shescape: '2.1.12' }
const FOLDER = new URL(`../../node_modules/.cache/peers/${NAME}-${VERSION}/`, import.meta.url)
/** As deep as Lamina looks. */
const JARS_DEPTH = '3'

/** `main` is the main module; `packages` are those of other modules, with their modules' versions. */
export type GoProgram = {
  readonly file: string
  readonly main: string
  readonly packages: readonly { readonly name: string; readonly version?: string | undefined }[]
}
/** `file` may lead into an archive, with `/` after its name. */
export type JavaLibrary = { readonly file: string; readonly name: string; readonly version: string }
export type PeerFound = {
  readonly programs: readonly GoProgram[]
  readonly libraries: readonly JavaLibrary[]
}

const isFunction = (value: unknown) => typeof value === 'function'
const pluginSchema = z.object({ scan: z.custom<(options: object) => Promise<unknown>>(isFunction) })
const resultSchema = z.object({
  identity: z.object({ type: z.string(), targetFile: z.string().default('') }),
  facts: z.array(z.object({ type: z.string(), data: z.unknown() })),
})
const packageSchema = z.object({ name: z.string(), version: z.string().optional() })
const graphSchema = z.object({ rootPkg: packageSchema, getDepPkgs: z.custom<() => unknown>(isFunction) })
const coordinatesSchema = z.object({ groupId: z.string(), artifactId: z.string(), version: z.string() })
const fingerprintSchema = coordinatesSchema
  .partial()
  .extend({ location: z.string(), dependencies: z.array(coordinatesSchema) })

/** @returns what finds packages in the Docker archive at a path */
export async function installSnyk(): Promise<(archive: string) => Promise<PeerFound>> {
  const require = createRequire(new URL('package.json', FOLDER))
  await mkdir(FOLDER, { recursive: true })
  await writeFile(
    new URL('package.json', FOLDER),
    JSON.stringify({ private: true, dependencies: { [NAME]: VERSION }, overrides: OVERRIDES }),
  )
  await promisify(execFile)('npm', ['install', '--ignore-scripts', '--prefer-offline'], {
    cwd: fileURLToPath(FOLDER),
  })
  const { scan } = pluginSchema.parse(require(NAME))
  return async (archive) => {
    const scanned = await scan({
      path: `docker-archive:${archive}`,
      'nested-jars-depth': JARS_DEPTH,
      'include-system-jars': true,
    })
    const { scanResults } = z.object({ scanResults: z.array(resultSchema) }).parse(scanned)
    const programs: GoProgram[] = []
    const libraries: JavaLibrary[] = []
    for (const { identity, facts } of scanResults)
      for (const { type, data } of facts) {
        if (type === 'jarFingerprints') libraries.push(...librariesOf(data))
        if (type === 'depGraph' && identity.type === 'gomodules')
          programs.push(programOf(identity.targetFile, data))
      }
    return { programs, libraries }
  }
}

function programOf(file: string, data: unknown): GoProgram {
  const graph = graphSchema.parse(data)
  const packages = z.array(packageSchema).parse(graph.getDepPkgs.call(data))
  return { file: inImage(file), main: graph.rootPkg.name, packages }
}

function librariesOf(data: unknown): JavaLibrary[] {
  const { fingerprints } = z.object({ fingerprints: z.array(fingerprintSchema) }).parse(data)
  return fingerprints.flatMap(({ location, dependencies, ...own }) => {
    const named = coordinatesSchema.safeParse(own)
    return [...(named.success ? [named.data] : []), ...dependencies].map(
      ({ groupId, artifactId, version }) => ({
        file: inImage(location),
        name: `${groupId}:${artifactId}`,
        version,
      }),
    )
  })
}

function inImage(path: string): string {
  return path.replace(/^\//, '')
}
