/** The Worker: the service on Cloudflare, or on Miniflare by `npm start`. */
import { createApp } from '../../src/http/app.ts'
import { assetsOf, type Environment, serviceOf } from './environment.ts'
import { BoundRate } from './rate.ts'

export { JobObject } from './job-object.ts'

let app: ReturnType<typeof createApp> | undefined

export default {
  fetch(request: Request, environment: Environment): Response | Promise<Response> {
    const { RATE } = environment
    app ??= createApp(serviceOf(environment), {
      assets: assetsOf(environment),
      clientOf: (ask) => ask.req.header('CF-Connecting-IP') ?? '',
      ...(RATE ? { rate: new BoundRate(RATE) } : {}),
    })
    return app.fetch(request)
  },
}
