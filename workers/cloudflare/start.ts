/** `npm start`: serves the Worker that `workers/build.ts` has made, until it is told to stop. */
import { startWorker } from './miniflare.ts'

const { url, stop } = await startWorker(process.env)
console.log(`Lamina listens on ${url} — try: curl '${url}/v1/report?image=alpine&wait=60'`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Miniflare's own listener exits at once, before anything is closed.
  process.removeAllListeners(signal)
  process.once(signal, () => {
    stop().then(() => process.exit(0))
  })
}
