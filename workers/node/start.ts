/** `npm run start:node`: serves until SIGTERM or SIGINT, then finishes running work. */
import { startOrExit } from '../startup.ts'
import { startFast } from './threads/v8.ts'

/**
 * Time limit for running work once the server stops accepting. Supervisors usually kill a service 30 s after SIGTERM; add the
 * drain's seconds to that.
 */
const STOP_MILLISECONDS = 29_000

startFast()
// A promise that nobody awaits is no reason to drop everybody's work.
process.on('unhandledRejection', (error) => console.error('unhandled rejection:', error))
const service = await startOrExit(async () => {
  const [{ createLog }, { startNode }] = await Promise.all([import('./log.ts'), import('./service.ts')])
  return startNode(process.env, { log: createLog(process.env.LOG_LEVEL ?? 'info') })
})

async function end(): Promise<void> {
  await service.stop(STOP_MILLISECONDS)
  process.exit(0)
}

process.once('SIGINT', () => void end())
// Load balancers take a while to notice; until then their requests are answered.
process.once('SIGTERM', () => {
  service.drain()
  setTimeout(() => void end(), service.drainSeconds * 1000)
})

// Printed last: a supervisor that reads it may send a signal at once.
console.log(`Lamina listens on ${service.url} — try: curl '${service.url}/v1/report?image=alpine&wait=60'`)
