/** Output of a tar in pieces large enough to pass on. */

import { contentPadding, memberHeader, type WrittenMember } from '../tar/write.ts'

const PIECE_BYTES = 256 * 1024

/** Collects headers and contents; `take` returns full pieces, `finish` everything left. */
export class TarOutput {
  readonly #full: Uint8Array[] = []
  #piece = new Uint8Array(PIECE_BYTES)
  #filled = 0
  #content = { bytes: 0, left: 0 }

  /** Begins a member; write its content next. */
  open(member: WrittenMember): void {
    if (this.#content.left !== 0) throw new Error('the previous member has less content than its header says')
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

  /** Bytes outside of any member. */
  raw(bytes: Uint8Array): void {
    this.#append(bytes)
  }

  /** Full pieces, if there are any. */
  take(): readonly Uint8Array[] {
    return this.#full.splice(0)
  }

  /** The remaining pieces. */
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
