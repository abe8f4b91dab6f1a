/** The folder for images that an engine saved: temporary, and the same for all threads of the process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'

/** Passed to threads when they start. */
const NAME = 'folder of saved images'

/** Created by the first thread that asks, which is the main one; removed with the process. */
export function engineFiles(): string {
  const known = getEnvironmentData(NAME)
  if (typeof known === 'string') return known
  const folder = mkdtempSync(join(tmpdir(), 'lamina-engine-'))
  setEnvironmentData(NAME, folder)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}
