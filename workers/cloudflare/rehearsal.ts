/** The rehearsal of `npm start`, whose registry is in memory: the Worker may not connect to itself. */
import { HEALTH_PATHS } from '../../src/http/routes/health.ts'
import { registryInMemory, rehearsalImage } from '../../src/service/rehearsal-image.ts'
import { rehearseReport } from '../rehearsal.ts'
import { assetsOf, type Environment, serviceOf } from './environment.ts'

const REGISTRY = 'rehearsal.invalid'
const PACKAGES = 24
const ROUNDS = 3

const firstRequest = new AbortController()

/** Called for each request: the first that is real work ends the rehearsal. */
export function endRehearsal({ url }: Request): void {
  if (firstRequest.signal.aborted) return
  if (!HEALTH_PATHS.has(new URL(url).pathname)) firstRequest.abort()
}

/** An entry point that `npm start` calls once, before the first request. It answers with the last report. */
export const rehearsal = {
  async fetch(_: Request, environment: Environment): Promise<Response> {
    const { wasm } = serviceOf(environment).host
    const { signal } = firstRequest
    const image = await rehearsalImage(PACKAGES)
    const stage = { registry: REGISTRY, digest: image.digest, fetch: registryInMemory(image), wasm, signal }
    let answer = new Response(null, { status: 204 })
    for (let round = 0; round < ROUNDS && !signal.aborted; round++)
      answer = await rehearseReport(stage, { assets: assetsOf(environment) })
    return answer
  },
}
