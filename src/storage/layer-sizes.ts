/** What engines count of one layer: their figures differ in what they call the size of a link, a directory or a file. */
import { type Entry, sortKey } from '../layer/entry.ts'
import { isWithin, type PathKey, parentKey } from '../text/path.ts'

export type LayerSizes = {
  /** As Docker's own store counts: regular files, and the targets of symlinks. */
  readonly contentBytes: number
  /** What the unpacked layer takes on a file system with blocks of 4,096 bytes. */
  readonly blockBytes: number
  /** As the headers say, each member. */
  readonly headerBytes: number
}

export type SizedMember = Pick<Entry, 'key' | 'type' | 'bytes' | 'link' | 'whiteout'>

const BLOCK = 4_096
/** A shorter target is stored in the inode. */
const LONG_LINK = 60

/** @param batches all members, in the order of the layer's table */
export async function sizesOfLayer(batches: AsyncIterable<readonly SizedMember[]>): Promise<LayerSizes> {
  const sizes = new Sizes()
  for await (const members of batches) for (const member of members) sizes.add(member)
  return sizes.end()
}

class Sizes {
  #contentBytes = 0
  #blockBytes = BLOCK
  #headerBytes = 0
  /** Directories above the current path, from the root's child on. */
  readonly #open: PathKey[] = []
  /** Members at the current path: the last one counts, whiteouts aside. */
  #key: PathKey | undefined
  #last: SizedMember | undefined
  #hides: PathKey | undefined

  add(member: SizedMember): void {
    const key = sortKey(member)
    if (key !== this.#key) this.#count()
    this.#key = key
    if (member.type === 'file') this.#headerBytes += member.bytes
    if (member.whiteout === undefined) this.#last = member
    else if (member.whiteout !== 'aufs') this.#hides = parentKey(member.key)
  }

  end(): LayerSizes {
    this.#count()
    return {
      contentBytes: this.#contentBytes,
      blockBytes: this.#blockBytes,
      headerBytes: this.#headerBytes,
    }
  }

  #count(): void {
    const [last, hides] = [this.#last, this.#hides]
    this.#last = undefined
    this.#hides = undefined
    if (last !== undefined) this.#countMember(last)
    if (hides !== undefined) this.#enter(hides)
  }

  #countMember({ key, type, bytes, link = '' }: SizedMember): void {
    switch (type) {
      case 'directory':
        this.#enter(key)
        return
      case 'file':
        this.#contentBytes += bytes
        this.#blockBytes += Math.ceil(bytes / BLOCK) * BLOCK
        break
      case 'symlink':
        this.#contentBytes += link.length
        this.#blockBytes += link.length >= LONG_LINK ? BLOCK : 0
        break
      default:
        break
    }
    this.#enter(parentKey(key))
  }

  /** A directory and those above it exist, whether or not a member names them. The root counts already. */
  #enter(key: PathKey): void {
    for (let top = this.#open.at(-1); top !== undefined && !isWithin(key, top); top = this.#open.at(-1))
      this.#open.pop()
    const missing: PathKey[] = []
    for (let at = key; at !== '' && at !== this.#open.at(-1); at = parentKey(at)) missing.push(at)
    this.#blockBytes += missing.length * BLOCK
    this.#open.push(...missing.reverse())
  }
}
