/** What every use case is given. */
import type { Host } from '../host.ts'
import type { RegistryClient } from '../source/registry/client.ts'
import type { Memory } from './memory.ts'

/** What a service is made of: a host, the one client of its registries, and what is remembered between requests. */
export type Service = {
  readonly host: Host
  readonly client: RegistryClient
  readonly memory: Memory
}
