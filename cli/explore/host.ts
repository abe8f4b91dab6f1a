/** What the parts of the explorer ask of the whole. */

export interface Host {
  /** Something is to be drawn again. */
  changed(): void
  /** Tells in a line, until the next key. */
  say(message: string): void
  /**
   * Waits for work while keys go on, and says what for. A failure is told in a line.
   *
   * @returns undefined if it failed
   */
  during<T>(what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined>
}
