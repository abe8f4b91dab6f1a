/** Analyses images that an engine reports, before anybody asks for them. */
import type { Engine, EngineEvent } from '../../host.ts'
import { openImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import { Problem } from '../../problem.ts'
import { pause } from '../../timeout.ts'
import { analyse, knownFacts } from '../images/analyse.ts'

/** The outcome for an image that an event named. */
export type WatchedImage = 'known' | 'analysed' | 'failed' | 'dropped'

export type WatchOptions = {
  readonly signal: AbortSignal
  readonly onEvent?: (event: EngineEvent) => void
  readonly onImage?: (image: string, outcome: WatchedImage, error?: unknown) => void
}

/** How many images may wait; further events are dropped. Each takes a few hundred bytes. */
const MAX_WAITING = 10_000
/** An analysis already reads the layers of an image in parallel. */
const ANALYSIS_SECONDS = 6 * 3_600
/** Delay before an image is retried: the engine or the queue of analyses may be busy. */
const ATTEMPTS = 20
const PAUSE_MILLISECONDS = 1_000
const MAX_PAUSE_MILLISECONDS = 30_000

/**
 * Follows the engine's events until the signal aborts. After a disconnection it requests the events since the last one that it
 * received; the engine may repeat some.
 */
export async function watchEngine(service: Service, engine: Engine, options: WatchOptions): Promise<void> {
  const { signal, onEvent } = options
  const queue = new ImageQueue()
  const work = analyseAll(service, queue, options)
  let since = Math.floor(Date.now() / 1000)
  let pause = PAUSE_MILLISECONDS
  while (!signal.aborted) {
    try {
      for await (const event of engine.events(since, signal)) {
        pause = PAUSE_MILLISECONDS
        since = Math.max(since, event.time)
        onEvent?.(event)
        if (!queue.add(event.image)) options.onImage?.(event.image, 'dropped')
      }
    } catch {
      // The engine is away, or the connection broke: both are tried again.
    }
    await rest(pause, signal)
    pause = Math.min(2 * pause, MAX_PAUSE_MILLISECONDS)
  }
  queue.end()
  await work
}

/** Half of the analyses at once are left to images that somebody waits for. */
async function analyseAll(service: Service, queue: ImageQueue, options: WatchOptions): Promise<void> {
  const atOnce = Math.ceil(service.host.configuration.maxAnalyses / 2)
  await Promise.all(Array.from({ length: atOnce }, () => analyseInTurn(service, queue, options)))
}

async function analyseInTurn(service: Service, queue: ImageQueue, options: WatchOptions): Promise<void> {
  for (let image = await queue.next(); image !== undefined; image = await queue.next()) {
    try {
      options.onImage?.(image, await analyseOne(service, image, options.signal))
    } catch (error) {
      if (options.signal.aborted) return
      options.onImage?.(image, 'failed', error)
    }
  }
}

async function analyseOne(service: Service, name: string, signal: AbortSignal): Promise<WatchedImage> {
  for (let attempt = 1; ; attempt++) {
    try {
      const credentials = { for: () => undefined }
      const image = await openImage(service, { reference: `docker-daemon:${name}`, credentials, signal })
      if ((await knownFacts(service, image)) !== undefined) return 'known'
      await analyse(service, image, { seconds: ANALYSIS_SECONDS, signal })
      return 'analysed'
    } catch (error) {
      if (!(error instanceof Problem) || error.fields.retryAfter === undefined || attempt === ATTEMPTS)
        throw error
      await rest(error.fields.retryAfter * 1000, signal)
    }
  }
}

/** A pause that the signal can end early. */
async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  await pause(milliseconds, signal).catch(() => {})
}

/** Images in the order of their events; a waiting image is listed once. */
class ImageQueue {
  readonly #waiting = new Set<string>()
  #changed = Promise.withResolvers<void>()
  #isOver = false

  /** @returns whether there was room */
  add(image: string): boolean {
    if (this.#waiting.size >= MAX_WAITING && !this.#waiting.has(image)) return false
    this.#waiting.add(image)
    this.#tell()
    return true
  }

  /** Undefined after the end. */
  async next(): Promise<string | undefined> {
    while (this.#waiting.size === 0 && !this.#isOver) await this.#changed.promise
    if (this.#isOver) return undefined
    const [first] = this.#waiting
    if (first !== undefined) this.#waiting.delete(first)
    return first
  }

  end(): void {
    this.#isOver = true
    this.#tell()
  }

  #tell(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }
}
