/**
 * The Worker as `npm start` runs it, with Durable Objects that can be reset and evicted from outside, as the platform does.
 */
import { startWorker } from '../../workers/cloudflare/miniflare.ts'

/** The path that resets its objects. */
export const RESET = '/crash/reset'
/** The path that evicts idle objects; busy ones first finish their work. */
export const EVICT = '/crash/evict'

/** @param version of the bundle: to the platform each version is another Worker */
const entry = (version: string) => `
import unsafe from 'workerd:unsafe'
import worker, { JobObject as Tested } from './worker.js'

/** Version ${version} */
const alive = new Set()

export class JobObject extends Tested {
  constructor(ctx, env) {
    super(ctx, env)
    alive.add(String(ctx.id))
  }
  reset() {
    alive.delete(String(this.ctx.id))
    this.ctx.abort('a reset')
  }
}

export const local = {
  async fetch(request, env, context) {
    switch (new URL(request.url).pathname) {
      case '${RESET}':
        await Promise.allSettled([...alive].map((id) => env.JOBS.get(id).reset()))
        return new Response()
      case '${EVICT}':
        // One that does not come to rest stays.
        await unsafe.evictAllDurableObjects({ webSockets: 'close' }).catch(() => {})
        return new Response()
      default:
        return worker.fetch(request, env, context)
    }
  },
}

export default local
`

if (import.meta.main) {
  const { url } = await startWorker(process.env, {
    entry: entry(process.env.CRASH_VERSION ?? '1'),
    flags: ['unsafe_module'],
  })
  console.log(`Lamina listens on ${url}`)
}
