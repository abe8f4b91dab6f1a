/**
 * Admits streams of zstd by the memory that decoding them takes: a frame of a few kilobytes may claim a window of 128 MiB and
 * fill it, and its source may then send nothing more for a minute.
 */
import { Problem } from '../../problem.ts'
import { Semaphore } from '../../semaphore.ts'
import { pause } from '../../timeout.ts'

const MB = 1_000_000
/** An instance of libzstd, with any window up to 8 MiB: larger ones are rare. */
const INSTANCE_BYTES = 17 * MB
const SMALL_WINDOW = 8 * 1024 * 1024
const WAIT_MILLISECONDS = 30_000
const LOOK_MILLISECONDS = 25
const RETRY_AFTER_SECONDS = 10

/** Held by one isolate of several at a time, until that isolate ends: before, nobody knows when its memory is given back. */
export interface SharedTurn {
  /** @returns whether it is this isolate's, perhaps since an earlier stream */
  take(): boolean
}

export function isLargeWindow(bytes: number): boolean {
  return bytes > SMALL_WINDOW
}

export class ZstdMemory {
  readonly #semaphore: Semaphore
  readonly #waitMilliseconds: number
  #turn: SharedTurn | undefined

  /** @param bytes of all streams at once; one that needs more runs alone */
  constructor(bytes: number, waitMilliseconds = WAIT_MILLISECONDS) {
    this.#semaphore = new Semaphore({ total: bytes })
    this.#waitMilliseconds = waitMilliseconds
  }

  /** From now on streams with large windows also wait for their turn among all isolates. */
  share(turn: SharedTurn): void {
    this.#turn = turn
  }

  /**
   * Waits until there is memory for this window.
   *
   * @returns gives it back
   * @throws Problem `rate_limited` after half a minute without
   */
  async admit(window: number): Promise<() => void> {
    const isLarge = isLargeWindow(window)
    const weight = INSTANCE_BYTES + (isLarge ? window : 0)
    const tooLong = AbortSignal.timeout(this.#waitMilliseconds)
    const permit = await this.#semaphore.acquire([], tooLong, { weight }).catch(() => {
      throw busy()
    })
    const turn = isLarge ? this.#turn : undefined
    while (turn !== undefined && !turn.take()) {
      if (tooLong.aborted) {
        permit.release()
        throw busy()
      }
      await pause(LOOK_MILLISECONDS)
    }
    return () => permit.release()
  }
}

function busy(): Problem {
  return new Problem(
    'rate_limited',
    'this service decompresses as much zstd as its memory allows; try again later',
    { retryAfter: RETRY_AFTER_SECONDS },
  )
}

/** For layers and their files: the largest window, or eight small ones. */
export const READING = new ZstdMemory(INSTANCE_BYTES + 128 * 1024 * 1024)
/** For uploads, which must not take it from the others. */
export const UPLOADING = new ZstdMemory(4 * INSTANCE_BYTES)
