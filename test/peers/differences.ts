/** Where Lamina and snyk-docker-plugin differ in what they find inside files. */
import type { PeerFound } from './snyk.ts'

/** A package inside a file; in `file`, `/` after the name of an archive leads into it. */
export type Found = {
  readonly type: 'golang' | 'maven'
  readonly file: string
  readonly name: string
  readonly version?: string | undefined
}

/** A side without the package has no versions; one that states none has `-`. */
export type Difference = Pick<Found, 'type' | 'file' | 'name'> & {
  readonly lamina: readonly string[]
  readonly peer: readonly string[]
}

export function differences(lamina: readonly Found[], { programs, libraries }: PeerFound): Difference[] {
  const found = new Map<string, { readonly of: Found; lamina: Set<string>; peer: Set<string> }>()
  const add = (side: 'lamina' | 'peer', of: Found) => {
    const key = `${of.type}\0${of.file}\0${of.name}`
    const known = found.get(key) ?? { of, lamina: new Set(), peer: new Set() }
    known[side].add(of.version ?? '-')
    found.set(key, known)
  }
  const modules = new Map<string, string[]>()
  for (const one of lamina) {
    add('lamina', one)
    if (one.type === 'golang') modules.set(one.file, [...(modules.get(one.file) ?? []), one.name])
  }
  for (const { file, main, packages } of programs) {
    const moduleOf = moduleAmong(modules.get(file) ?? [])
    for (const { name, version } of [{ name: main, version: undefined }, ...packages])
      add('peer', { type: 'golang', file, name: moduleOf(name), version })
  }
  for (const library of libraries)
    add('peer', { type: 'maven', ...library, file: library.file.replaceAll('!/', '/') })
  return [...found.values()]
    .map(({ of: { type, file, name }, lamina, peer }) => ({
      type,
      file,
      name,
      lamina: [...lamina].sort(),
      peer: [...peer].sort(),
    }))
    .filter(({ lamina, peer }) => lamina.join() !== peer.join())
}

/** The peer lists packages where Lamina lists modules: a package stands for the longest module that begins its path. */
function moduleAmong(modules: readonly string[]): (name: string) => string {
  const longestFirst = modules.toSorted((a, b) => b.length - a.length)
  return (name) => longestFirst.find((module) => `${name}/`.startsWith(`${module}/`)) ?? name
}
