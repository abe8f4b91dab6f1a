/** JSON that somebody else wrote. */

/** The value; undefined, which JSON does not have, unless it is JSON in UTF-8. */
export function parseJson(json: string | Uint8Array): unknown {
  try {
    return JSON.parse(
      typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true }).decode(json),
    )
  } catch {
    return undefined
  }
}
