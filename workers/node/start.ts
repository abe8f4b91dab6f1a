/** `npm run start:node`: serves until it is told to stop, then finishes what runs. */
import { createLog } from './log.ts'
import { startNode } from './service.ts'

/** Supervisors usually kill a service 30 s after SIGTERM. */
const STOP_MILLISECONDS = 29_000

const log = createLog(process.env.LOG_LEVEL ?? 'info')
const { url, stop } = await startNode(process.env, { log })

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void stop(STOP_MILLISECONDS).then(() => process.exit(0))
  })
}

// Printed last: a supervisor that reads it may send a signal at once.
console.log(`Lamina listens on ${url} — try: curl '${url}/v1/report?image=alpine&wait=60'`)
