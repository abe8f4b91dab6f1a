/** Digests of the OCI image specification. The only supported algorithm is sha256. */
import { createHash } from 'node:crypto'
import { Problem } from '../problem.ts'

const DIGEST = /^([a-z0-9]+(?:[.+_-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/
const SHA256 = /^sha256:[0-9a-f]{64}$/

/** `sha256:<hex>` of the bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export function isSha256(digest: string): boolean {
  return SHA256.test(digest)
}

/** Whether the text is a digest, of a supported algorithm or not. */
function isDigest(text: string): boolean {
  return DIGEST.test(text) && (!text.startsWith('sha256:') || SHA256.test(text))
}

/**
 * @param what the subject of the error message: `layer 3`
 * @throws Problem `unsupported_digest` for another algorithm, `invalid_image` for an invalid digest; both permanent,
 * since digests are read out of verified bytes
 */
export function requireSha256(digest: string, what: string): void {
  if (SHA256.test(digest)) return
  const shown = JSON.stringify(digest.slice(0, 160))
  if (isDigest(digest))
    throw new Problem('unsupported_digest', `${what} has the digest ${shown}; only sha256 is supported`, {
      permanent: true,
    })
  throw new Problem('invalid_image', `${what} has an invalid digest: ${shown}`, { permanent: true })
}
