/** A set of inodes of a merged file system, which are numbered from 1 without gaps: one bit each. */
export class InodeSet {
  #words = new Uint32Array(1024)

  /** Whether it is new. */
  add(inode: number): boolean {
    const word = Math.floor(inode / 32)
    const bit = 1 << (inode % 32)
    if (word >= this.#words.length) this.#grow(word + 1)
    const before = this.#words[word] ?? 0
    this.#words[word] = before | bit
    return (before & bit) === 0
  }

  has(inode: number): boolean {
    return ((this.#words[Math.floor(inode / 32)] ?? 0) & (1 << (inode % 32))) !== 0
  }

  #grow(least: number): void {
    const words = new Uint32Array(Math.max(least, 2 * this.#words.length))
    words.set(this.#words)
    this.#words = words
  }
}
