/** Preloaded into a service: while the file `DEADLY_FILE` exists, its threads die in the middle of their work. */
import { existsSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const { DEADLY_FILE } = process.env

if (!isMainThread && DEADLY_FILE !== undefined) {
  setInterval(() => {
    if (existsSync(DEADLY_FILE)) process.exit(1)
  }, 20).unref()
}
