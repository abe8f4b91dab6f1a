/** A registry and services for one test; all of them end with the test. */
import { rm } from 'node:fs/promises'
import { onTestFinished } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { type HostName, type SpawnedService, spawnService, temporaryData } from './service.ts'

export type Stage = {
  readonly registry: FixtureRegistry
  /** A service in a separate process; all services of a stage share the same data. */
  spawn(
    host: HostName | URL,
    settings?: Record<string, string>,
    flags?: readonly string[],
  ): Promise<SpawnedService>
}

/** Must be called within a test. */
export async function newStage(): Promise<Stage> {
  const registry = await FixtureRegistry.start()
  const data = await temporaryData()
  const services: SpawnedService[] = []
  onTestFinished(async () => {
    await Promise.all([...services.map((service) => service.end('SIGKILL')), registry.close()])
    await rm(data, { recursive: true, force: true })
  })
  return {
    registry,
    async spawn(host, settings, flags) {
      const service = await spawnService(host, data, settings, flags)
      services.push(service)
      return service
    },
  }
}
