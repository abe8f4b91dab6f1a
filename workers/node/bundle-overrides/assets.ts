/** Replaces `workers/assets.ts` in the bundle of the Node host: the pages' files are next to it. */
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

export const COMPRESSED = new URL('./compressed/', import.meta.url)

const FOLDER = new URL('./assets/', import.meta.url)

export function assetNames(): readonly string[] {
  return readdirSync(FOLDER)
}

/** @returns undefined if there is no file of that name */
export async function readAsset(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return assetNames().includes(name) ? Uint8Array.from(await readFile(new URL(name, FOLDER))) : undefined
}
