/** Whether this process may open images in its machine's files, and the folder in which all its threads keep what they know of them. */
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'

/** Passed to threads when they start. */
const NAME = 'folder of opened archives'

/** Allows `docker-archive:`, `oci-archive:` and `oci:` in this process, on all threads started from now on. */
export function allowLocalImages(): void {
  if (openedArchives() !== undefined) return
  const folder = join(tmpdir(), `lamina-${randomUUID()}`)
  setEnvironmentData(NAME, folder)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
}

/** The folder; undefined if they are not allowed. */
export function openedArchives(): string | undefined {
  const folder = getEnvironmentData(NAME)
  return typeof folder === 'string' ? folder : undefined
}
