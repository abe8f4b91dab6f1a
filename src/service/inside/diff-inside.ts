/** What changed inside a file: entries of archives, modules of Go programs, sections of ELF files. */

import type { ArchiveInside, ElfInside, Inside } from '../../open/open-inside.ts'
import { Problem } from '../../problem.ts'
import { encodeText } from '../../text/bytes.ts'
import { type PathKey, pathToKey } from '../../text/path.ts'
import { sectionsOf } from './list-inside.ts'

export type PartChange = {
  /** Of an entry. */
  readonly key?: PathKey
  /** Of a section or module. */
  readonly name?: string
  readonly change: 'added' | 'removed' | 'modified'
  readonly fromBytes: number
  readonly toBytes: number
  readonly delta: number
  readonly fromVersion?: string
  readonly toVersion?: string
}

type Part = {
  readonly bytes: number
  readonly version?: string | undefined
  readonly identity: string
  readonly order: string
}
type Side = ReadonlyMap<string, Part>

/**
 * Largest change first, then by path.
 *
 * @param of `sections` of programs whose modules are known, too
 * @throws Problem `unknown_format` if the two are of different kinds
 */
export function diffInside(from: Inside, to: Inside, of: 'sections' | undefined): readonly PartChange[] {
  if (from.kind !== to.kind)
    throw new Problem('unknown_format', `the files are of different kinds: ${from.kind} and ${to.kind}`)
  if (from.kind !== 'elf' && to.kind !== 'elf') return changes(entries(from), entries(to), 'key')
  if (from.kind !== 'elf' || to.kind !== 'elf') return []
  const both = of === undefined && from.modules !== undefined && to.modules !== undefined
  return both ? changes(modules(from), modules(to), 'name') : changes(sections(from), sections(to), 'name')
}

function entries({ entries: list }: ArchiveInside): Side {
  const side = new Map<string, Part>()
  for (let index = 0; index < list.count; index++) {
    const { key, type, bytes, link, sum } = list.at(index)
    side.set(key, { bytes, identity: JSON.stringify([type, bytes, link, sum]), order: key })
  }
  return side
}

function modules({ modules: list = [] }: ElfInside): Side {
  return new Map(
    list.map(({ name, version, bytes }) => [
      name,
      { bytes, version, identity: JSON.stringify([version, bytes]), order: pathToKey(encodeText(name)) },
    ]),
  )
}

/** The n-th section of a name is compared with the n-th. */
function sections(inside: ElfInside): Side {
  const side = new Map<string, Part>()
  const times = new Map<string, number>()
  const list = sectionsOf(inside)
  for (let index = 0; index < list.count; index++) {
    const { name, bytes } = list.at(index)
    const time = times.get(name) ?? 0
    times.set(name, time + 1)
    const order = `${pathToKey(encodeText(name))}\0\0${String(time).padStart(7, '0')}`
    side.set(`${name}\0${time}`, { bytes, identity: String(bytes), order })
  }
  return side
}

function changes(from: Side, to: Side, field: 'key' | 'name'): readonly PartChange[] {
  const found: { readonly order: string; readonly change: PartChange }[] = []
  for (const key of new Set([...from.keys(), ...to.keys()])) {
    const [before, after] = [from.get(key), to.get(key)]
    if (before?.identity === after?.identity) continue
    const [fromBytes, toBytes] = [before?.bytes ?? 0, after?.bytes ?? 0]
    found.push({
      order: before?.order ?? after?.order ?? '',
      change: {
        [field]: field === 'key' ? key : key.split('\0', 1)[0],
        change: before === undefined ? 'added' : after === undefined ? 'removed' : 'modified',
        fromBytes,
        toBytes,
        delta: toBytes - fromBytes,
        ...(before?.version === undefined ? {} : { fromVersion: before.version }),
        ...(after?.version === undefined ? {} : { toVersion: after.version }),
      },
    })
  }
  return found
    .sort(
      (a, b) =>
        Math.abs(b.change.delta) - Math.abs(a.change.delta) ||
        (a.order < b.order ? -1 : a.order > b.order ? 1 : 0),
    )
    .map(({ change }) => change)
}
