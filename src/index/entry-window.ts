/** The part of a layer's entries that is sorted in memory, before it is written to the store. */
import { type Entry, sortKey, type Whiteout } from '../layer/entry.ts'
import type { MemberType } from '../tar/member.ts'
import { type ByteString, compareText } from '../text/bytes.ts'
import type { PathKey } from '../text/path.ts'

/** Approximate bytes of an entry besides its name and rare properties: numbers, digest, references. */
const ENTRY_BYTES = 160
/** Approximate bytes of a link or an attribute, besides its content. */
const EXTRA_BYTES = 100
/** How many entries are passed on at once. */
const BATCH = 1000

/** Columns of numbers: bytes, mode, uid, gid, mtime, ordinal, offset. */
const NUMBERS = 7

/** Properties that few entries have. */
type Extras = Pick<Entry, 'link' | 'device' | 'xattrs'>

/**
 * Entries to be sorted in memory. They are kept in columns, not as objects: a hundred thousand take some 16 MB, and the garbage
 * collector need not walk through them. It is filled, emptied and filled again.
 */
export class EntryWindow {
  readonly #keys: PathKey[] = []
  readonly #sortKeys: PathKey[] = []
  readonly #types: MemberType[] = []
  readonly #sha256s: (ByteString | undefined)[] = []
  readonly #whiteouts = new Map<number, Whiteout>()
  readonly #extras = new Map<number, Extras>()
  #numbers = new Float64Array(1024 * NUMBERS)
  #bytes = 0
  #isSorted = true

  get length(): number {
    return this.#keys.length
  }

  /** Approximate memory in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Entries arrive in the order of their ordinals. */
  add(entry: Entry): void {
    const { key, link, device, xattrs, whiteout } = entry
    const index = this.#keys.length
    const standsAt = sortKey(entry)
    if (index > 0 && standsAt < (this.#sortKeys[index - 1] ?? '')) this.#isSorted = false
    this.#keys.push(key)
    this.#sortKeys.push(standsAt)
    this.#types.push(entry.type)
    this.#sha256s.push(entry.sha256)
    this.#addNumbers(index * NUMBERS, entry)
    this.#bytes += ENTRY_BYTES + key.length
    if (whiteout !== undefined) this.#whiteouts.set(index, whiteout)
    if (link === undefined && device === undefined && xattrs === undefined) return
    this.#extras.set(index, { link, device, xattrs })
    this.#bytes += extraBytes(entry)
  }

  /** Indexes by (`sortKey`, `ordinal`): the sort is stable. */
  sorted(): readonly number[] {
    const order = Array.from(this.#keys, (_, index) => index)
    if (this.#isSorted) return order
    const keys = this.#sortKeys
    return order.sort((a, b) => compareText(keys[a] ?? '', keys[b] ?? ''))
  }

  sortKey(index: number): PathKey {
    const key = this.#sortKeys[index]
    if (key === undefined) throw new RangeError('the entry does not exist')
    return key
  }

  /** Copies, which stay valid when the window is filled again. */
  *entries(order: readonly number[]): Generator<readonly Entry[]> {
    for (let i = 0; i < order.length; i += BATCH) {
      yield order.slice(i, i + BATCH).map((index) => this.#entry(index))
    }
  }

  clear(): void {
    for (const column of [this.#keys, this.#sortKeys, this.#types, this.#sha256s]) column.length = 0
    this.#whiteouts.clear()
    this.#extras.clear()
    this.#bytes = 0
    this.#isSorted = true
  }

  #addNumbers(at: number, { bytes, mode, uid, gid, mtime, ordinal, offset }: Entry): void {
    if (at === this.#numbers.length) {
      const grown = new Float64Array(2 * at)
      grown.set(this.#numbers)
      this.#numbers = grown
    }
    const numbers = this.#numbers
    numbers[at] = bytes
    numbers[at + 1] = mode
    numbers[at + 2] = uid
    numbers[at + 3] = gid
    numbers[at + 4] = mtime
    numbers[at + 5] = ordinal
    numbers[at + 6] = offset
  }

  #entry(index: number): Entry {
    const key = this.#keys[index]
    const type = this.#types[index]
    if (key === undefined || type === undefined) throw new RangeError(`no entry ${index}`)
    const numbers = this.#numbers
    const at = index * NUMBERS
    const extras = this.#extras.get(index)
    return {
      key,
      type,
      bytes: integer(numbers[at] ?? 0),
      mode: integer(numbers[at + 1] ?? 0),
      uid: integer(numbers[at + 2] ?? 0),
      gid: integer(numbers[at + 3] ?? 0),
      mtime: numbers[at + 4] ?? 0,
      sha256: this.#sha256s[index],
      link: extras?.link,
      device: extras?.device,
      xattrs: extras?.xattrs,
      whiteout: this.#whiteouts.get(index),
      ordinal: integer(numbers[at + 5] ?? 0),
      offset: integer(numbers[at + 6] ?? 0),
    }
  }
}

/**
 * V8 keeps a small integer in the object itself, and for any other number a second object. Numbers from the array count as the
 * latter, and then every entry that the reader makes would be converted to hold such objects, too.
 */
function integer(value: number): number {
  const small = value | 0
  return small === value ? small : value
}

function extraBytes({ link, xattrs }: Entry): number {
  let bytes = EXTRA_BYTES + (link?.length ?? 0)
  for (const [name, value] of xattrs ?? []) bytes += EXTRA_BYTES + name.length + value.length
  return bytes
}
