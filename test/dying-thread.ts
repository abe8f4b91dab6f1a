/** Preloaded into a service: as long as the file `DEADLY_FILE` is there, its threads end in the middle of what they do. */
import { existsSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const { DEADLY_FILE } = process.env

if (!isMainThread && DEADLY_FILE !== undefined) {
  setInterval(() => {
    if (existsSync(DEADLY_FILE)) process.exit(1)
  }, 20).unref()
}
