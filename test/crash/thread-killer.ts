/**
 * Preloaded into a service: at SIGUSR2 one of its threads is ended in the middle of what it does, each time another one. An
 * operating system cannot kill a thread alone, so its own process does.
 */
import { syncBuiltinESMExports } from 'node:module'
import threads, { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  const alive = new Set<threads.Worker>()
  let killed = 0

  threads.Worker = class extends threads.Worker {
    constructor(...parameters: ConstructorParameters<typeof threads.Worker>) {
      super(...parameters)
      alive.add(this)
      this.once('exit', () => alive.delete(this))
    }
  }
  syncBuiltinESMExports()

  process.on('SIGUSR2', () => {
    const all = [...alive]
    void all[killed++ % all.length]?.terminate()
  })
}
