/** Ar archives for tests. */

export type ArMember = { readonly name: string; readonly content: Uint8Array }

/** How names of more than 15 bytes are written: in a table, or before the content. */
export type ArNames = 'gnu' | 'bsd'

export function arOf(members: readonly ArMember[], names: ArNames = 'gnu'): Uint8Array {
  const pieces: Uint8Array[] = [Buffer.from('!<arch>\n')]
  const add = (name: string, content: Uint8Array) => {
    const fields = [
      // Padded by its bytes.
      Buffer.from(name).toString('latin1').padEnd(16),
      '1700000000  ',
      '0     0     ',
      '100644  ',
      `${content.length}`.padEnd(10),
    ]
    pieces.push(
      Buffer.from(`${fields.join('')}\`\n`, 'latin1'),
      content,
      Buffer.alloc(content.length % 2, '\n'),
    )
  }
  const isLong = ({ name }: ArMember) => Buffer.byteLength(name) > 15
  let table = ''
  const places = new Map<string, number>()
  for (const member of members.filter(isLong)) {
    places.set(member.name, Buffer.byteLength(table))
    table += `${member.name}/\n`
  }
  if (names === 'gnu' && table !== '') add('//', Buffer.from(table))
  for (const member of members) {
    const { name, content } = member
    if (!isLong(member)) add(`${name}/`, content)
    else if (names === 'gnu') add(`/${places.get(name) ?? 0}`, content)
    else {
      const before = Buffer.from(`${name}\0\0`)
      add(`#1/${before.length}`, Buffer.concat([before, content]))
    }
  }
  return Buffer.concat(pieces)
}
