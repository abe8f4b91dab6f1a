/** What is written of a tar, in pieces that are worth handing on. */

import { contentPadding, memberHeader, type WrittenMember } from '../tar/write.ts'

const PIECE_BYTES = 256 * 1024

/** Collects headers and contents; `take` gives what is full, `finish` all the rest. */
export class TarOutput {
  readonly #full: Uint8Array[] = []
  #piece = new Uint8Array(PIECE_BYTES)
  #filled = 0
  #content = { bytes: 0, left: 0 }

  /** Begins a member; its content follows by `write`. */
  open(member: WrittenMember): void {
    if (this.#content.left !== 0) throw new Error('the member before has less content than its header says')
    this.#append(memberHeader(member))
    this.#content = { bytes: member.bytes, left: member.bytes }
  }

  /** @throws Error if a member gets more content than its header says */
  write(content: Uint8Array): void {
    this.#content.left -= content.length
    if (this.#content.left < 0) throw new Error('the member has more content than its header says')
    this.#append(content)
    if (this.#content.left === 0) this.#append(contentPadding(this.#content.bytes))
  }

  /** Bytes that stand outside of any member. */
  raw(bytes: Uint8Array): void {
    this.#append(bytes)
  }

  /** Whole pieces; nothing where none is full. */
  take(): readonly Uint8Array[] {
    return this.#full.splice(0)
  }

  /** The pieces that are left. */
  finish(): readonly Uint8Array[] {
    if (this.#filled > 0) this.#full.push(this.#piece.subarray(0, this.#filled))
    this.#piece = new Uint8Array(PIECE_BYTES)
    this.#filled = 0
    return this.take()
  }

  #append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + PIECE_BYTES - this.#filled)
      this.#piece.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
      if (this.#filled < PIECE_BYTES) continue
      this.#full.push(this.#piece)
      this.#piece = new Uint8Array(PIECE_BYTES)
      this.#filled = 0
    }
  }
}
