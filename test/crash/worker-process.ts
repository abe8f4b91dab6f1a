/** The Worker as `npm start` runs it, whose Durable Objects can be reset from outside as the platform does it. */
import { startWorker } from '../../workers/cloudflare/miniflare.ts'

/** Where it hears that its objects shall be reset. */
export const RESET = '/crash/reset'

/** @param version of the bundle: each is another Worker to the platform */
const entry = (version: string) => `
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
    if (new URL(request.url).pathname !== '${RESET}') return worker.fetch(request, env, context)
    const all = [...alive]
    await Promise.allSettled(all.map((id) => env.JOBS.get(env.JOBS.idFromString(id)).reset()))
    return Response.json(all.length)
  },
}

export default local
`

if (import.meta.main) {
  const { url } = await startWorker(process.env, { entry: entry(process.env.CRASH_VERSION ?? '1') })
  console.log(`Lamina listens on ${url}`)
}
