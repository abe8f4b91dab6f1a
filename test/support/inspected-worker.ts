/** `npm start` with Chrome's DevTools protocol at `INSPECTOR_PORT`, for tests and benchmarks that look into workerd. */
import { startWorker } from '../../workers/cloudflare/miniflare.ts'

const { url, stop } = await startWorker(process.env, { inspectorPort: Number(process.env.INSPECTOR_PORT) })
// Miniflare's own listener exits immediately, before anything is closed.
process.removeAllListeners('SIGTERM')
process.once('SIGTERM', () => void stop().then(() => process.exit(0)))
console.log(`Lamina listens on ${url}`)
