/** The sender was silent or too slow. */
export class StalledError extends Error {
  /** It was too slow for a long time, rather than silent for a while: retrying would not help. */
  readonly tooSlow: boolean

  constructor(message: string, { tooSlow = false }: { readonly tooSlow?: boolean } = {}) {
    super(message)
    this.name = 'StalledError'
    this.tooSlow = tooSlow
  }
}
