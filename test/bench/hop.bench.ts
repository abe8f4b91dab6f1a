/**
 * What it costs to answer from a worker thread on Node: one file of an index, against a constant route of the answering
 * thread.
 */

import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { startService } from '../support/service.ts'
import { best, line } from './measure.ts'

const REQUESTS = 300
const ROUNDS = 3

export default async function hop(): Promise<void> {
  const [registry, service] = await Promise.all([FixtureRegistry.start(), startService('node')])
  const image = registry.push('hop', 'v1', makeImage([await makeLayer([{ name: 'a', content: 'x' }])]))
  const known = `${service.url}/v1/report?image=${image}`
  // No two requests are alike: the answering thread remembers small answers.
  let asked = 0
  const hopping = () => `${service.url}/v1/files?image=${image}&glob=a${asked++}`
  await (await fetch(`${known}&wait=60`)).arrayBuffer()
  await milliseconds(hopping)
  const constant = await milliseconds(() => `${service.url}/healthz`)
  line('/healthz', { ms: constant })
  for (const [what, url] of Object.entries({
    'a report that is known': () => known,
    'files, by a thread': hopping,
  })) {
    const taken = await milliseconds(url)
    line(what, { ms: taken, ratio: taken / constant })
  }
  await Promise.all([service.stop(), registry.close()])
}

/** For sequential requests: the best of the rounds' medians. */
async function milliseconds(url: () => string): Promise<number> {
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const times: number[] = []
    for (let i = 0; i < REQUESTS; i++) {
      const began = performance.now()
      const answer = await fetch(url())
      if (answer.status !== 200) throw new Error(await answer.text())
      await answer.arrayBuffer()
      times.push(performance.now() - began)
    }
    rounds.push(times.sort((a, b) => a - b)[REQUESTS / 2] ?? 0)
  }
  return best(rounds)
}
