/** The Node host as a process: what ends it, and what does not. */
import { rm } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { spawnService, temporaryData } from '../../test/support/service.ts'

/** Loaded before the service: at this signal a promise is rejected that nobody awaits. */
const REJECTS = "process.on('SIGUSR2', () => void Promise.reject(new Error('nobody waits for this')))"

it('a rejection that nobody handles is reported, and ends nothing', async () => {
  const data = await temporaryData()
  const service = await spawnService('node', data, {}, ['--import', `data:text/javascript,${REJECTS}`])
  try {
    process.kill(service.pid, 'SIGUSR2')
    await expect.poll(service.output).toContain('nobody waits for this')
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200)
  } finally {
    await service.end('SIGKILL').catch(() => {})
    await rm(data, { recursive: true, force: true })
  }
})
