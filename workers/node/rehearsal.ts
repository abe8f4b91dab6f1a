/** Rehearsals on Node: the image comes from a registry on loopback, which lives as long as its rehearsal. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { Stage } from '../../src/service/rehearsal.ts'
import { answerOfRegistry, type RehearsalImage, rehearsalImage } from '../../src/service/rehearsal-image.ts'
import { createFetch } from './fetch.ts'

const LOOPBACK = '127.0.0.1'

/** Each thread has its own rehearsal: V8 compiles for one thread. */
export type Rehearsal = Pick<Stage, 'wasm' | 'signal'> & {
  readonly packages: number
  /** How often to play. */
  readonly rounds: number
}

/** @throws what `play` throws; the signal's reason */
export async function rehearse(
  { packages, rounds, wasm, signal }: Rehearsal,
  play: (stage: Stage) => Promise<unknown>,
): Promise<void> {
  const image = await rehearsalImage(packages)
  const server = registryOf(image).listen(0, LOOPBACK)
  try {
    await once(server, 'listening')
    const registry = addressOf(server)
    const fetch = createFetch({ privateRegistries: [registry], insecureRegistries: [] }, { noProxy: '*' })
    const stage = { registry, digest: image.digest, fetch, wasm, signal }
    for (let round = 0; round < rounds; round++) {
      signal.throwIfAborted()
      await play(stage)
    }
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

function registryOf(image: RehearsalImage): Server {
  return createServer(({ method, url = '' }, response) => {
    const answer = answerOfRegistry(image, url)
    if (answer === undefined) response.writeHead(404).end()
    else response.writeHead(200, answer.headers).end(method === 'HEAD' ? undefined : answer.bytes)
  })
}

function addressOf(server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the registry has no port')
  return `${LOOPBACK}:${address.port}`
}
