/** What every use case is given. */
import type { Host } from '../host.ts'
import type { RegistryClient } from '../source/registry/client.ts'
import type { ImageSource } from '../source/source.ts'
import type { Memory } from './memory.ts'

/** What a service is made of: a host, the one client of its registries, and what is remembered between requests. */
export type Service = {
  readonly host: Host
  readonly client: RegistryClient
  readonly memory: Memory
  /** In a thread beside the one that answers: has that one, which remembers what sources said, asked instead of the source. */
  readonly relay?: (source: ImageSource) => ImageSource
  /** Told the digest of an image whose stored facts turned out not to be true, where another thread remembers them as well. */
  readonly onForgotten?: (digest: string) => void
}
