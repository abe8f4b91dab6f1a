/** JSON that somebody else wrote. */

/** The value; undefined where it is not JSON, or not UTF-8. JSON itself has no such value. */
export function parseJson(json: string | Uint8Array): unknown {
  try {
    return JSON.parse(
      typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true }).decode(json),
    )
  } catch {
    return undefined
  }
}
