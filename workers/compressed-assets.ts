/** The pages' files, compressed by a build: named by the SHA-256 of the original, so that versions cannot be confused. */
import { hash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { assetNames, readAsset } from './assets.ts'
import { type Compressed, gzipAsset } from './node/compression.ts'

function fileOf(folder: string, sha256: string): string {
  return join(folder, `${sha256}.gz`)
}

export async function writeCompressed(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const name of assetNames()) {
    const bytes = await readAsset(name)
    if (bytes !== undefined) await writeFile(fileOf(folder, hash('sha256', bytes)), await gzipAsset(bytes))
  }
}

/** Those in a folder; none if there is no such folder. */
export function compressedIn(folder: string): Compressed {
  return async (sha256) => {
    try {
      return Uint8Array.from(await readFile(fileOf(folder, sha256)))
    } catch {
      return undefined
    }
  }
}
