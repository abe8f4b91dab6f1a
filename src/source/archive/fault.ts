/** The one way to reject an archive. */
import { Problem } from '../../problem.ts'

/** @param member the name of the faulty member, if there is one */
export function invalidArchive(why: string, member?: string): Problem {
  return new Problem('invalid_archive', member === undefined ? why : `${quoted(member)}: ${why}`)
}

/** Names in archives are hostile text: a message quotes at most this much of one. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name)
}

/** Reports a fault of the tar, or of its compression, as a fault of the archive. */
export function asArchiveFault(error: unknown): unknown {
  const isOfBytes = error instanceof Problem && error.code === 'invalid_image'
  return isOfBytes ? invalidArchive(`the archive cannot be read: ${error.message}`) : error
}
