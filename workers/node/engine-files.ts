/** The folder for images that an engine saved: a temporary one, the same for all threads of the process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'

/** Threads are given it when they start. */
const NAME = 'folder of saved images'

/** Made by the thread that asks first, which is the main one; goes with the process. */
export function engineFiles(): string {
  const known = getEnvironmentData(NAME)
  if (typeof known === 'string') return known
  const folder = mkdtempSync(join(tmpdir(), 'lamina-engine-'))
  setEnvironmentData(NAME, folder)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}
