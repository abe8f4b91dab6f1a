/** `npm start`: serves the Worker that `workers/build.ts` made, until SIGTERM or SIGINT. */
import { startOrExit } from '../startup.ts'

const { url, stop } = await startOrExit(async () => {
  const { startWorker } = await import('./miniflare.ts')
  return startWorker(process.env)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Miniflare's own listener exits at once, before anything is closed.
  process.removeAllListeners(signal)
  process.once(signal, () => {
    void stop().then(() => process.exit(0))
  })
}

// Printed last: a supervisor that reads it may send a signal at once.
console.log(`Lamina listens on ${url} — try: curl '${url}/v1/report?image=alpine&wait=60'`)
