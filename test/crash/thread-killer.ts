/**
 * Preloaded into a service: SIGUSR2 terminates one of its threads in the middle of its work, a different one each time. The
 * operating system cannot kill a single thread, so the process itself does.
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
