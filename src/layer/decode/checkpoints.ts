/**
 * Checkpoints: places in a compressed layer at which reading can start. They are chosen while the whole layer is read,
 * so that a single file can be read later without everything before it.
 */
import type { BlockStart, StartSink } from './inflater.ts'
import { packWindow } from './pack-window.ts'

/** A smaller layer has no checkpoints: reading it from its start is fast enough. */
export const LEAST_LAYER_BYTES = 1024 * 1024
/** The largest share of their layer that checkpoints may take. */
const SHARE = 1 / 100
/** Distance between two blocks with windows, in bytes of the tar. */
const BLOCK_SPACING = 4 * 1024 * 1024
/** How far a checkpoint may be postponed until its window is affordable: a file must be reachable within 8 MiB. */
const FAR_SPACING = 6 * 1024 * 1024
/** How many blocks with whole windows are left out in a row: after a later one, enough of the blob may be at hand to reduce it. */
const MOST_LEFT_OUT = 4
/** Distance between two places without a window, in bytes of the blob: the overhead of reading a small file. */
const START_SPACING = 24 * 1024
/** Distance between two places that only say how far a file reaches. */
const MARK_SPACING = 64 * 1024
/** Maximum size of a checkpoint without its window. */
const CHECKPOINT_BYTES = 24

/** Offsets are those of the first byte that is read from there, in the blob and in the uncompressed tar. */
export type Checkpoint = { readonly blobOffset: number; readonly tarOffset: number } & (
  | { readonly kind: 'block'; readonly bit: number; readonly packedWindow: Uint8Array }
  /** A gzip member or a zstd frame: nothing before it is needed. */
  | { readonly kind: 'start' }
  /** Reading cannot start here: only says how many bytes of the blob give how many of the tar. */
  | { readonly kind: 'mark' }
)

/** Keeps checkpoints; their offsets ascend. */
export interface CheckpointSink {
  add(checkpoint: Checkpoint): void
  /** The content of the member at this offset of the tar has holes, so the tar does not store it in one piece. */
  addSparse(tarOffset: number): void
  /** Called repeatedly; a slow store slows down the layer. */
  flush(): void | Promise<void>
}

type Offsets = { readonly blobOffset: number; readonly tarOffset: number }

const BEGINNING: Offsets = { blobOffset: 0, tarOffset: 0 }

/** Chooses checkpoints from the places that a decoder reports. */
export class CheckpointRecorder implements StartSink {
  readonly #sink: Pick<CheckpointSink, 'add'>
  /** What the checkpoints take at most. */
  #bytes = 0
  #last = BEGINNING
  /** The last place where reading can begin. */
  #lastEntry = BEGINNING
  /** The last start that was skipped because it was close to the last checkpoint. */
  #skipped: Offsets | undefined
  /** Takes no block before this many bytes of the blob, since its window would take too large a share. */
  #affordableAt = 0
  /** Blocks left out since the last checkpoint because of their whole windows. */
  #leftOut = 0
  /** Even its smallest form was not affordable. */
  #isRefused = false

  constructor(sink: Pick<CheckpointSink, 'add'>) {
    this.#sink = sink
  }

  wantsBlock(blobOffset: number, tarOffset: number): boolean {
    const distance = tarOffset - this.#lastEntry.tarOffset
    if (distance < BLOCK_SPACING) return false
    return blobOffset >= this.#affordableAt || (distance >= FAR_SPACING && !this.#isRefused)
  }

  block({ blobOffset, bit, tarOffset, window, isReduced }: BlockStart): void {
    if (!isReduced && this.#leftOut < MOST_LEFT_OUT) {
      this.#leftOut++
      return
    }
    this.#leftOut = 0
    const isFar = tarOffset - this.#lastEntry.tarOffset >= FAR_SPACING
    let packedWindow = packWindow(window, 'fast')
    // The smaller form takes longer: it is worth it only if the next checkpoint would be too far away.
    if (isFar && !this.#affords(blobOffset, packedWindow.length)) packedWindow = packWindow(window, 'small')
    if (!this.#affords(blobOffset, packedWindow.length)) {
      this.#affordableAt = (this.#bytes + packedWindow.length + CHECKPOINT_BYTES) / SHARE
      this.#isRefused = isFar
      return
    }
    this.#isRefused = false
    this.#addSkipped()
    this.#add({ kind: 'block', blobOffset, bit, tarOffset, packedWindow })
    this.#lastEntry = this.#last
  }

  start(blobOffset: number, tarOffset: number): void {
    if (blobOffset - this.#lastEntry.blobOffset < START_SPACING) {
      this.#skipped = { blobOffset, tarOffset }
      return
    }
    this.#addSkipped()
    this.#addStart({ blobOffset, tarOffset })
  }

  mark(blobOffset: number, tarOffset: number): void {
    if (blobOffset - this.#last.blobOffset < MARK_SPACING) return
    this.#addSkipped()
    if (this.#affords(blobOffset)) this.#add({ kind: 'mark', blobOffset, tarOffset })
  }

  /** The layer has ended: nobody needs what follows its last member. */
  finish(): void {
    this.#addSkipped()
  }

  /** What follows the skipped start is large, so beginning there is useful. */
  #addSkipped(): void {
    const skipped = this.#skipped
    this.#skipped = undefined
    if (skipped !== undefined && skipped.blobOffset > this.#last.blobOffset) this.#addStart(skipped)
  }

  #addStart(place: Offsets): void {
    if (!this.#affords(place.blobOffset)) return
    this.#add({ kind: 'start', ...place })
    this.#lastEntry = place
  }

  #affords(blobOffset: number, windowBytes = 0): boolean {
    return this.#bytes + windowBytes + CHECKPOINT_BYTES <= blobOffset * SHARE
  }

  #add(checkpoint: Checkpoint): void {
    this.#sink.add(checkpoint)
    this.#bytes += CHECKPOINT_BYTES + (checkpoint.kind === 'block' ? checkpoint.packedWindow.length : 0)
    this.#last = checkpoint
  }
}
