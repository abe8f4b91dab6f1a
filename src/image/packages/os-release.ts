/** os-release(5): which distribution the image is. */
import type { DatabaseContent } from './found.ts'
import { linesOf } from './lines.ts'

export type Distribution = {
  /** `debian`, `alpine`, `fedora`. */
  readonly id: string
  /** `13`, `3.20.3`; absent for one that is always the newest. */
  readonly version?: string
}

const PLAIN = /^[a-z0-9._-]+$/
const MAX_BYTES = 64

/** Undefined without an `ID`. */
export async function readOsRelease(content: DatabaseContent): Promise<Distribution | undefined> {
  let id: string | undefined
  let version: string | undefined
  for await (const lines of linesOf(content)) {
    for (const line of lines) {
      id ??= fieldOf(line, 'ID=')
      version ??= fieldOf(line, 'VERSION_ID=')
    }
  }
  return id === undefined ? undefined : { id, ...(version === undefined ? {} : { version }) }
}

function fieldOf(line: string, name: string): string | undefined {
  if (!line.startsWith(name)) return undefined
  const value = unquoted(line.slice(name.length).trimEnd())
  return value.length <= MAX_BYTES && PLAIN.test(value) ? value : undefined
}

function unquoted(value: string): string {
  const quote = value.charAt(0)
  const isQuoted = (quote === '"' || quote === "'") && value.length > 1 && value.endsWith(quote)
  return isQuoted ? value.slice(1, -1) : value
}
