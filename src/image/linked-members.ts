/** Keeps what hard links show, compactly, since an image can have millions of them. */
import type { Entry } from '../layer/entry.ts'
import { NumberList } from '../table/number-list.ts'
import { MEMBER_TYPES, type MemberType } from '../tar/member.ts'
import { countBefore } from './deletions.ts'
import { memberSequence } from './sequence.ts'

/** A member without a path: what each of its hard links shows. */
export type Content = Omit<Entry, 'key'>

type Rare = Pick<Entry, 'link' | 'device' | 'xattrs'>

/** The members that hard links lead to, some 80 bytes each; numbered in the order of addition. */
export class LinkedMembers {
  readonly #type = new NumberList()
  readonly #bytes = new NumberList()
  readonly #mode = new NumberList()
  readonly #uid = new NumberList()
  readonly #gid = new NumberList()
  readonly #mtime = new NumberList()
  readonly #layer = new NumberList()
  readonly #ordinal = new NumberList()
  readonly #offset = new NumberList()
  #sha256 = new Uint8Array(64 * 32)
  readonly #rare = new Map<number, Rare>()

  get length(): number {
    return this.#layer.length
  }

  /** @returns its number */
  add(entry: Entry, layer: number): number {
    const number = this.length
    this.#type.push(MEMBER_TYPES.indexOf(entry.type))
    this.#bytes.push(entry.bytes)
    this.#mode.push(entry.mode)
    this.#uid.push(entry.uid)
    this.#gid.push(entry.gid)
    this.#mtime.push(entry.mtime)
    this.#layer.push(layer)
    this.#ordinal.push(entry.ordinal)
    this.#offset.push(entry.offset)
    if (entry.sha256 !== undefined) this.#keepDigest(number, entry.sha256)
    const { link, device, xattrs } = entry
    if (link !== undefined || device !== undefined || xattrs !== undefined) {
      this.#rare.set(number, { link, device, xattrs })
    }
    return number
  }

  layer(number: number): number {
    return this.#layer.get(number)
  }

  ordinal(number: number): number {
    return this.#ordinal.get(number)
  }

  type(number: number): MemberType {
    return MEMBER_TYPES[this.#type.get(number)] ?? 'other'
  }

  content(number: number): Content {
    const type = this.type(number)
    return {
      type,
      bytes: this.#bytes.get(number),
      mode: this.#mode.get(number),
      uid: this.#uid.get(number),
      gid: this.#gid.get(number),
      mtime: this.#mtime.get(number),
      ordinal: this.#ordinal.get(number),
      offset: this.#offset.get(number),
      ...(type === 'file' ? { sha256: this.#digest(number) } : {}),
      ...this.#rare.get(number),
    }
  }

  /** Finds the numbers of members. */
  index(): (layer: number, ordinal: number) => number | undefined {
    const sequence = (number: number) => memberSequence(this.layer(number), this.ordinal(number))
    const numbers = Uint32Array.from({ length: this.length }, (_, number) => number)
    numbers.sort((a, b) => sequence(a) - sequence(b))
    const sequences = Float64Array.from(numbers, sequence)
    return (layer, ordinal) => {
      const wanted = memberSequence(layer, ordinal)
      const at = countBefore(sequences, wanted)
      return sequences[at] === wanted ? numbers[at] : undefined
    }
  }

  #keepDigest(number: number, sha256: string): void {
    if (32 * (number + 1) > this.#sha256.length) {
      const grown = new Uint8Array(this.#sha256.length + (this.#sha256.length >> 1))
      grown.set(this.#sha256)
      this.#sha256 = grown
    }
    for (let i = 0; i < 32; i++) this.#sha256[32 * number + i] = sha256.charCodeAt(i)
  }

  #digest(number: number): string {
    return String.fromCharCode(...this.#sha256.subarray(32 * number, 32 * number + 32))
  }
}
