/** `npm run start:node`: serves until it is told to stop, then finishes what runs. */
import { createLog } from './log.ts'
import { startNode } from './service.ts'

/** What stops services deletions them after 30 s, as a rule. */
const STOP_MILLISECONDS = 29_000

const log = createLog(process.env.LOG_LEVEL ?? 'info')
const { url, stop } = await startNode(process.env, { log })

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void stop(STOP_MILLISECONDS).then(() => process.exit(0))
  })
}

// Whoever reads this may send a signal next.
console.log(`Lamina listens on ${url} — try: curl '${url}/v1/report?image=alpine&wait=60'`)
