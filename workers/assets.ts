/** The files that the pages load, gathered from the packages and folders that they are in. */
import { readFile } from 'node:fs/promises'
import type { Assets } from '../src/pages/assets.ts'

const OWN = ['lamina.css', 'lamina.js', 'icon.svg', 'docs.css', 'docs.js']
const SWAGGER_UI = ['swagger-ui.css', 'swagger-ui-bundle.js']

/** Each by its name. */
export const ASSET_FILES: ReadonlyMap<string, URL> = new Map([
  ...OWN.map((name): [string, URL] => [name, new URL(`../src/pages/assets/${name}`, import.meta.url)]),
  ...SWAGGER_UI.map((name): [string, URL] => [name, new URL(import.meta.resolve(`swagger-ui-dist/${name}`))]),
])

/** Read when first asked for, and kept. */
export function assetsOnDisk(): Assets {
  const read = new Map<string, Promise<Uint8Array<ArrayBuffer>>>()
  return async (name) => {
    const file = ASSET_FILES.get(name)
    if (file === undefined) return undefined
    let bytes = read.get(name)
    if (bytes === undefined) {
      bytes = readFile(file).then((content) => Uint8Array.from(content))
      bytes.catch(() => read.delete(name))
      read.set(name, bytes)
    }
    return bytes
  }
}

/**
 * The module that the Worker imports them by: each is a data module of the bundle, since a name that ends in `.bin` is
 * one by wrangler's own rules.
 */
export function assetModule(): string {
  const names = [...ASSET_FILES.keys()]
  const imports = names.map((name, i) => `import asset${i} from './${name}.bin'\n`).join('')
  const entries = names.map((name, i) => `  [${JSON.stringify(name)}, asset${i}],\n`).join('')
  return `${imports}\nconst assets = new Map([\n${entries}])\n\nexport default async (name) => {\n  const bytes = assets.get(name)\n  return bytes && new Uint8Array(bytes)\n}\n`
}
