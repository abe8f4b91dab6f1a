/** How much of a disk uploads may take if `LAMINA_UPLOADS_BYTES` does not say: a third of what is free. */
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Configuration } from '../src/configuration.ts'

type Environment = Readonly<Record<string, string | undefined>>

const SHARE = 1 / 3

/** The settings with this one, for a service whose store is a folder. */
export async function withUploadsLimit(
  env: Environment,
  { data, s3, uploadsBytes }: Pick<Configuration, 'data' | 's3' | 'uploadsBytes'>,
): Promise<Environment> {
  if (env.LAMINA_UPLOADS_BYTES || s3 !== undefined) return env
  const free = await freeBytes(resolve(data))
  if (free === undefined) return env
  const bytes = Math.max(1, Math.min(uploadsBytes, Math.floor(free * SHARE)))
  return { ...env, LAMINA_UPLOADS_BYTES: `${bytes}` }
}

/** Of the file system on which the folder is, or will be. */
async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch {
    return dirname(folder) === folder ? undefined : freeBytes(dirname(folder))
  }
}
