/** Why a command cannot answer: a sentence and a code, on one line of stderr. */
import { terminalText } from '../src/formats/escape.ts'

export class Failure extends Error {
  /** A code of the API's problems, or one of this program's: `usage`, `output_error`. */
  readonly code: string

  /** The image that it is about, as it was typed or with all defaults filled in. */
  readonly image: string | undefined

  constructor(code: string, detail: string, image?: string) {
    super(detail)
    this.name = 'Failure'
    this.code = code
    this.image = image
  }

  /** The sentence first, then its code: `no tag \`v9\` in ghcr.io/o/app [image_not_found]`. */
  get sentence(): string {
    return `${terminalText(this.message)} [${terminalText(this.code)}]`
  }

  get line(): string {
    return `lamina: ${this.sentence}`
  }
}

/** The system's words for a file error: `no space left on device`. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Node writes `ENOSPC: no space left on device, write`.
  const [, said] = /^E[A-Z0-9]+: ([^,]+)/.exec(error.message) ?? []
  return said ?? error.message
}
