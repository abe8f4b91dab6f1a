/** The files that the pages load, all of them served by this service. */

/** Where a page finds them: `/assets/lamina.css`. */
export const ASSETS_PATH = '/assets/'

/** Gives the bytes of a file by its name; undefined where there is no such file. The host has them. */
export type Assets = (name: string) => Promise<Uint8Array<ArrayBuffer> | undefined>

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

export function assetType(name: string): string {
  return TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
}
