/** `npm start` with Chrome's DevTools protocol at `INSPECTOR_PORT`, for tests that look into workerd. */
import { startWorker } from '../workers/cloudflare/miniflare.ts'

const { url } = await startWorker(process.env, { inspectorPort: Number(process.env.INSPECTOR_PORT) })
console.log(`Lamina listens on ${url}`)
