/** ELF files, built from a list of sections, so that a test can say anything that a file may say. */

export type BuiltSection = {
  readonly name: string
  readonly type: number
  readonly flags?: number
  readonly data?: Uint8Array
  /** Instead of the data's: of a NOBITS section, or a lie. */
  readonly size?: number
  /** Instead of behind the section before. */
  readonly offset?: number
  readonly link?: number
  readonly address?: number
  readonly align?: number
}

export type BuiltSegment = {
  readonly type: number
  readonly flags?: number
  /** The name of the section that it covers, or a part of the file. */
  readonly of?: string
  readonly offset?: number
  readonly bytes?: number
  readonly address?: number
}

export type ElfBuild = {
  readonly class?: 32 | 64
  readonly little?: boolean
  readonly machine?: number
  readonly type?: number
  readonly sections?: readonly BuiltSection[]
  readonly segments?: readonly BuiltSegment[]
  /** `false`: a file without section headers. */
  readonly hasHeaders?: boolean
}

/** The sections in this order, then the section names, then the section headers. */
export function buildElf(build: ElfBuild): Uint8Array {
  const { class: width = 64, little = true, sections = [], segments = [], hasHeaders = true } = build
  const wide = width === 64
  const sizes = wide ? { file: 64, segment: 56, section: 64 } : { file: 52, segment: 32, section: 40 }
  const names = [...new Set(['', ...sections.map(({ name }) => name), '.shstrtab'])]
  const nameAt = new Map<string, number>()
  let nameTable = ''
  for (const name of names) {
    nameAt.set(name, Buffer.byteLength(nameTable))
    nameTable += `${name}\0`
  }
  const all: BuiltSection[] = [
    { name: '', type: 0 },
    ...sections,
    { name: '.shstrtab', type: 3, data: Buffer.from(nameTable) },
  ]
  const pieces: { readonly at: number; readonly bytes: Uint8Array }[] = []
  let end = sizes.file + sizes.segment * segments.length
  const offsets = all.map(({ type, data = new Uint8Array(0), offset, align = 1 }) => {
    if (offset !== undefined) return offset
    if (type === 0) return 0
    end = Math.ceil(end / align) * align
    pieces.push({ at: end, bytes: data })
    end += data.length
    return end - data.length
  })
  const table = Math.ceil(end / 8) * 8
  const out = new Uint8Array(hasHeaders ? table + sizes.section * all.length : end)
  for (const { at, bytes } of pieces) out.set(bytes, at)
  const view = new DataView(out.buffer)
  const half = (at: number, value: number) => view.setUint16(at, value, little)
  const word = (at: number, value: number) => view.setUint32(at, value, little)
  const address = (at: number, value: number) =>
    wide ? view.setBigUint64(at, BigInt(value), little) : word(at, value)
  const w = wide ? 8 : 4
  out.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1])
  half(16, build.type ?? 2)
  half(18, build.machine ?? 62)
  word(20, 1)
  address(24 + w, segments.length > 0 ? sizes.file : 0)
  address(24 + 2 * w, hasHeaders ? table : 0)
  const tail = 24 + 3 * w
  half(tail + 4, sizes.file)
  half(tail + 6, sizes.segment)
  half(tail + 8, segments.length)
  if (hasHeaders) {
    half(tail + 10, sizes.section)
    half(tail + 12, all.length)
    half(tail + 14, all.length - 1)
  }
  for (const [index, { type, flags = 4, of, ...part }] of segments.entries()) {
    const section = all.findIndex(({ name }) => of !== undefined && name === of)
    const offset = part.offset ?? offsets[section] ?? 0
    const bytes = part.bytes ?? all[section]?.data?.length ?? 0
    const virtual = part.address ?? all[section]?.address ?? 0
    const at = sizes.file + index * sizes.segment
    word(at, type)
    word(at + (wide ? 4 : 24), flags)
    for (const [place, value] of [offset, virtual, virtual, bytes, bytes].entries())
      address(at + (wide ? 8 : 4) + place * w, value)
  }
  if (!hasHeaders) return out
  for (const [
    index,
    { name, type, flags = 0, data, size, link = 0, address: virtual = 0 },
  ] of all.entries()) {
    const at = table + index * sizes.section
    word(at, nameAt.get(name) ?? 0)
    word(at + 4, type)
    const values = [flags, virtual, offsets[index] ?? 0, size ?? data?.length ?? 0]
    for (const [place, value] of values.entries()) address(at + 8 + place * w, value)
    word(at + 8 + 4 * w, link)
  }
  return out
}
