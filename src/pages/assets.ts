/** The files that the pages load, all served by this service. */
import { createHash } from 'node:crypto'

/** Their folder in URLs: `/assets/lamina.css`. */
export const ASSETS_PATH = '/assets/'

/** Reads a file by its name; undefined if there is no such file. Provided by the host. */
export type Assets = (name: string) => Promise<Uint8Array<ArrayBuffer> | undefined>

/** Files whose URL changes with their content, so that browsers can keep them forever. */
export const VERSIONED = [
  'frame.css',
  'lamina.css',
  'lamina.js',
  'map.js',
  'badge.js',
  'home.js',
  'progress.js',
  'deletion.js',
  'storage.js',
  'icon.svg',
] as const

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

export function assetType(name: string): string {
  return TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
}

const versions = new WeakMap<Assets, string>()

/** Identifies the content of all of them together; constant while the service runs. */
export async function assetsVersion(assets: Assets): Promise<string> {
  // The promise itself is not kept: in workerd it dies with the request that began it.
  const version = versions.get(assets) ?? (await hashOf(assets))
  versions.set(assets, version)
  return version
}

async function hashOf(assets: Assets): Promise<string> {
  const hash = createHash('sha256')
  for (const name of VERSIONED) hash.update(`${name}\0`).update((await assets(name)) ?? '')
  return hash.digest('hex').slice(0, 16)
}

const NAMED = new RegExp(
  `"${ASSETS_PATH}(${VERSIONED.map((name) => name.replace('.', '\\.')).join('|')})"`,
  'g',
)

/** The page with the URLs of this version. Names from images have `"` escaped in markup, so none is mistaken for a URL. */
export function withVersion(markup: string, version: string): string {
  return markup.replace(NAMED, (_, name: string) => `"${ASSETS_PATH}${version}/${name}"`)
}
