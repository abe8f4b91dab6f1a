/**
 * JSON in the store with a checksum of its key and content, so that an object that is damaged, truncated or in the wrong place
 * counts as missing. Other readers just see one more field.
 */
import { createHash } from 'node:crypto'
import type { ObjectStore } from '../host.ts'
import { parseJson } from '../text/json.ts'

const BEGIN = '{"checksum":"'
const HEX = 64
/** The part before the content's own fields. */
const HEAD = BEGIN.length + HEX + '",'.length

/**
 * @param key of the object
 * @param value has at least one field
 */
export function addChecksum(key: string, value: object): Uint8Array {
  const fields = JSON.stringify(value).slice(1)
  return new TextEncoder().encode(`${BEGIN}${sumOf(key, fields)}",${fields}`)
}

/** The value of an object; undefined if the object is missing, or is not what {@link addChecksum} made for this key. */
export async function readChecked(store: ObjectStore, key: string): Promise<unknown> {
  const object = await store.get(key)
  return object && verifyChecksum(key, new Uint8Array(await new Response(object.body).arrayBuffer()))
}

/** The value, with its checksum; undefined where the bytes are not what {@link addChecksum} made for this key. */
export function verifyChecksum(key: string, bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes)
  const sum = text.slice(BEGIN.length, BEGIN.length + HEX)
  return text.startsWith(BEGIN) && sumOf(key, text.slice(HEAD)) === sum ? parseJson(text) : undefined
}

function sumOf(key: string, fields: string): string {
  return createHash('sha256').update(`${key}\n${fields}`).digest('hex')
}
