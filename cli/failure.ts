/** What a command ends with where it cannot answer: a code and a sentence, on one line of stderr. */
import { terminalText } from '../src/formats/escape.ts'

export class Failure extends Error {
  /** As problems of the API have it, or one of this program: `usage`, `output_error`. */
  readonly code: string

  constructor(code: string, detail: string) {
    super(detail)
    this.name = 'Failure'
    this.code = code
  }

  get line(): string {
    return `lamina: ${terminalText(this.code)}: ${terminalText(this.message)}`
  }
}

/** What the system says of an error of a file, in words: `no space left on device`. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Node writes `ENOSPC: no space left on device, write`.
  const [, said] = /^E[A-Z0-9]+: ([^,]+)/.exec(error.message) ?? []
  return said ?? error.message
}
