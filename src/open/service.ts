/** What every use case receives. */
import type { Host } from '../host.ts'
import type { RegistryClient } from '../source/registry/client.ts'
import type { ImageSource, LocalImages } from '../source/source.ts'
import type { Memory } from './caches.ts'

/** The parts of a service: a host, the client for registries, the memory between requests, and what else the host offers. */
export type Service = {
  readonly host: Host
  readonly client: RegistryClient
  readonly memory: Memory
  /** Present if callers may read files of this machine. */
  readonly localImages?: LocalImages | undefined
  /**
   * In a thread other than the answering one: asks the answering thread, which remembers what sources said, instead of the
   * source.
   */
  readonly relay?: (source: ImageSource) => ImageSource
  /**
   * Receives the name of an image's index whose stored facts turned out to be wrong, so that another thread forgets them, too.
   */
  readonly onForgotten?: (index: string) => void
}
