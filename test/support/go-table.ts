/** Go's table of functions (`.gopclntab`), as far as names and sizes go. */

export type GoForm = { readonly class: 32 | 64; readonly little: boolean }
export type BuiltFunction = { readonly name: string; readonly bytes: number }

/** @param magic that of Go 1.18 or, by default, of Go 1.20 */
export function goTable(functions: readonly BuiltFunction[], form: GoForm, magic = 0xfffffff1): Uint8Array {
  const pointer = form.class / 8
  const names = Buffer.from(functions.map(({ name }) => `${name}\0`).join(''))
  const namesAt = 8 + 8 * pointer
  const rowsAt = namesAt + names.length
  const recordsAt = 8 * functions.length + 4
  const out = Buffer.alloc(rowsAt + recordsAt + 8 * functions.length)
  const view = new DataView(out.buffer, out.byteOffset)
  const word = (at: number, value: number) => view.setUint32(at, value, form.little)
  const address = (index: number, value: number) => {
    const at = 8 + index * pointer
    if (form.class === 64) view.setBigUint64(at, BigInt(value), form.little)
    else word(at, value)
  }
  word(0, magic)
  out[6] = 1
  out[7] = pointer
  for (const [index, value] of [
    functions.length,
    0,
    0x401000,
    namesAt,
    rowsAt,
    rowsAt,
    rowsAt,
    rowsAt,
  ].entries())
    address(index, value)
  out.set(names, namesAt)
  let begins = 0
  let name = 0
  for (const [index, made] of functions.entries()) {
    const record = recordsAt + 8 * index
    word(rowsAt + 8 * index, begins)
    word(rowsAt + 8 * index + 4, record)
    word(rowsAt + record, begins)
    word(rowsAt + record + 4, name)
    begins += made.bytes
    name += Buffer.byteLength(made.name) + 1
  }
  word(rowsAt + 8 * functions.length, begins)
  return out
}
