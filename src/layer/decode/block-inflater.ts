/** Inflates the beginning of blocks, for a look at them: one inflater for all, since a new one takes longer than most looks. */
import { constants, createInflateRaw } from 'node:zlib'
import { type BitStart, resumingBytes } from './block-start.ts'
import { withInsides } from './zlib-handle.ts'

export class BlockInflater {
  #stream = withInsides(createInflateRaw())

  /**
   * Fills the output with the start's window and what follows it.
   *
   * @param behind what follows the start's byte in the stream
   * @returns how much of the output is filled; undefined if the data is damaged before it is full
   */
  inflate(start: BitStart, behind: Uint8Array, output: Uint8Array): number | undefined {
    if (this.#stream.errored) this.#stream = withInsides(createInflateRaw())
    const { _handle, _writeState } = this.#stream
    const head = resumingBytes(start)
    _handle.reset()
    _handle.writeSync(constants.Z_NO_FLUSH, head, 0, head.length, output, 0, output.length)
    const filled = output.length - _writeState[0]
    if (this.#stream.errored || filled !== start.window.length) return undefined
    _handle.writeSync(constants.Z_NO_FLUSH, behind, 0, behind.length, output, filled, output.length - filled)
    return this.#stream.errored ? undefined : output.length - _writeState[0]
  }

  close(): void {
    this.#stream.destroy()
  }
}
