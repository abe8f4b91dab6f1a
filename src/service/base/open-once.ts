/** Opens the images that one question about a base leads to, each once and within its time. */
import { requireDiffIds } from '../../oci/config.ts'
import { parseImageReference } from '../../oci/image-reference.ts'
import { type CallerCredentials, type OpenedImage, openImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import { Problem } from '../../problem.ts'
import { within } from '../../timeout.ts'

export type BaseCaller = {
  /** Each registry gets only those that are for it. */
  readonly credentials: CallerCredentials
  readonly signal: AbortSignal
}

/** How long registries may take, in milliseconds. */
export type OpeningTimes = {
  /** For one image. */
  readonly each: number
  /** For all names together. */
  readonly names: number
  /** For everything. */
  readonly all: number
}

/** The answer comes within 30 s. */
const TIMES: OpeningTimes = { each: 10_000, names: 20_000, all: 28_000 }

export class OpenOnce {
  readonly #service: Service
  readonly #caller: BaseCaller
  readonly #platform: string
  readonly #times: OpeningTimes
  readonly #images = new Map<string, Promise<OpenedImage | Problem>>()
  readonly #began = Date.now()
  #isPublic = true

  constructor(
    service: Service,
    platform: string,
    { times = TIMES, ...caller }: BaseCaller & { readonly times?: OpeningTimes },
  ) {
    this.#service = service
    this.#platform = platform
    this.#caller = caller
    this.#times = times
  }

  /** No credentials were used, so every caller gets the same. */
  get isPublic(): boolean {
    return this.#isPublic
  }

  /** One of many names, for which there is less time in all. */
  name(reference: string): Promise<OpenedImage | Problem> {
    return this.#once(reference, this.#times.names)
  }

  image(reference: string): Promise<OpenedImage | Problem> {
    return this.#once(reference, this.#times.all)
  }

  /**
   * Whatever else is asked of a registry, within the same time.
   *
   * @throws Problem `registry_timeout`; what `ask` throws
   */
  async ask<T>(registry: string, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#caller.credentials.for(registry) !== undefined) this.#isPublic = false
    return this.#limited(registry, this.#times.all, ask)
  }

  #once(reference: string, all: number): Promise<OpenedImage | Problem> {
    const known = this.#images.get(reference)
    if (known !== undefined) return known
    const opened = this.#open(reference, all)
    this.#images.set(reference, opened)
    return opened
  }

  async #open(reference: string, all: number): Promise<OpenedImage | Problem> {
    const parsed = parseImageReference(reference)
    const { credentials, signal: callerSignal } = this.#caller
    if (parsed.transport !== 'docker' || credentials.for(parsed.registry) !== undefined)
      this.#isPublic = false
    try {
      const image = await this.#limited(reference, all, (signal) =>
        openImage(this.#service, { reference, platform: this.#platform, credentials, signal }),
      )
      requireDiffIds(image.manifest, image.config)
      return image
    } catch (error) {
      callerSignal.throwIfAborted()
      if (error instanceof Problem && error.code !== 'store_error') return error
      throw error
    }
  }

  #limited<T>(what: string, all: number, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const left = this.#began + all - Date.now()
    const milliseconds = Math.min(this.#times.each, left)
    const error = () => new Problem('registry_timeout', `could not read ${what} in time; ask again later`)
    if (milliseconds <= 0) throw error()
    return within({ milliseconds, signal: this.#caller.signal, error }, ask)
  }
}
