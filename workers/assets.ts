/** Where this repository and its packages have the files that pages load. */
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** Where the build puts them, compressed. */
export const COMPRESSED = new URL('../dist/compressed/', import.meta.url)

const OWN = new URL('../src/pages/assets/', import.meta.url)

/** From swagger-ui-dist: the viewer of the documentation. */
const VIEWER = ['swagger-ui-bundle.js', 'swagger-ui.css']

function places(): ReadonlyMap<string, URL> {
  const own = readdirSync(OWN).map((name) => [name, new URL(name, OWN)] as const)
  const viewer = VIEWER.map(
    (name) => [name, new URL(import.meta.resolve(`swagger-ui-dist/${name}`))] as const,
  )
  return new Map([...own, ...viewer])
}

/** All of them, by their names in pages. */
export function assetNames(): readonly string[] {
  return [...places().keys()]
}

/** @returns undefined if there is no file of that name */
export async function readAsset(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const place = places().get(name)
  return place === undefined ? undefined : Uint8Array.from(await readFile(place))
}
