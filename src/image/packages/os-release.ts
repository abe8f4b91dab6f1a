/** os-release(5): which distribution the image is. */
import type { DatabaseContent } from './found.ts'
import { linesOf } from './lines.ts'

const ID = /^[a-z0-9._-]+$/
const MAX_ID_BYTES = 64

/** The distribution's `ID`: `debian`, `alpine`, `fedora`. */
export async function readOsReleaseId(content: DatabaseContent): Promise<string | undefined> {
  for await (const lines of linesOf(content)) {
    for (const line of lines) {
      if (!line.startsWith('ID=')) continue
      const value = unquoted(line.slice('ID='.length).trimEnd())
      if (value.length <= MAX_ID_BYTES && ID.test(value)) return value
    }
  }
  return undefined
}

function unquoted(value: string): string {
  const quote = value.charAt(0)
  const isQuoted = (quote === '"' || quote === "'") && value.length > 1 && value.endsWith(quote)
  return isQuoted ? value.slice(1, -1) : value
}
