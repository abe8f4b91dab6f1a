/**
 * Which of many selectors select a path. Rows come in path order, so the directories leading to a path are matched once for
 * everything in them.
 */
import { baseName, isWithin, type PathKey, pathToKey } from '../text/path.ts'

/**
 * Globs of two kinds: `directories` select the files below them, `files` the files themselves. A glob is relative to the root
 * unless it begins with two stars and a slash; its last part is a name, or for files at any depth also `*.EXTENSION`. A `*` in or
 * instead of a part stands for any letters of it, but for the first ones of the last part.
 */
export type Selector = {
  readonly directories?: readonly string[]
  readonly files?: readonly string[]
}

const NONE: readonly number[] = []

type NameRule = {
  readonly key: PathKey
  /** At any depth. */
  readonly deep: boolean
  readonly selector: number
}

/** Finds the selectors whose globs match a path, by its last part. */
class Names {
  readonly #byName = new Map<string, NameRule[]>()
  readonly #byExtension = new Map<string, number[]>()
  /** By the first character of the name. */
  readonly #wild = new Map<number, { readonly pattern: RegExp; readonly selector: number }[]>()
  /** One character distinguishes most names: the first of a name, the last of an extension. */
  readonly #first = new Uint8Array(256)
  readonly #last = new Uint8Array(256)

  add(glob: string, selector: number): void {
    const deep = glob.startsWith('**/')
    const key = pathToKey(deep ? glob.slice(3) : glob)
    const name = baseName(key)
    if (deep && key === name && /^\*\.[\w-]+$/.test(name)) {
      const extension = name.slice(1)
      push(this.#byExtension, extension, selector)
      this.#last[extension.charCodeAt(extension.length - 1)] = 1
      return
    }
    if (name !== '*' && /^[\w.\0*-]+$/.test(key) && key.includes('*') && !name.startsWith('*')) {
      const body = key.replaceAll('.', '\\.').replaceAll('*', '[^\0]*')
      const pattern = new RegExp(`${deep ? '(?:^|\0)' : '^'}${body}$`, 's')
      const first = name.charCodeAt(0)
      this.#wild.set(first, [...(this.#wild.get(first) ?? []), { pattern, selector }])
      this.#first[first] = 1
      return
    }
    if (!/^[\w.\0-]+$/.test(key)) throw new TypeError(`a selector cannot read the glob ${glob}`)
    push(this.#byName, name, { key, deep, selector })
    this.#first[name.charCodeAt(0)] = 1
  }

  /** @param start of the path's last part */
  matching(key: PathKey, start: number): readonly number[] {
    let found = NONE
    if (this.#first[key.charCodeAt(start)] === 1) {
      for (const rule of this.#byName.get(key.slice(start)) ?? []) {
        if (rule.key === key || (rule.deep && key.endsWith(`\0${rule.key}`))) {
          found = [...found, rule.selector]
        }
      }
      for (const { pattern, selector } of this.#wild.get(key.charCodeAt(start)) ?? [])
        if (pattern.test(key)) found = [...found, selector]
    }
    if (this.#last[key.charCodeAt(key.length - 1)] === 1) {
      const dot = key.lastIndexOf('.')
      const byExtension = dot < start ? undefined : this.#byExtension.get(key.slice(dot))
      if (byExtension !== undefined) found = union(found, byExtension)
    }
    return found
  }
}

/** Compiled selectors. */
export class Selectors {
  readonly directories = new Names()
  readonly files = new Names()

  /** @throws TypeError for a glob that it cannot read */
  constructor(selectors: readonly Selector[]) {
    for (const [selector, { directories = [], files = [] }] of selectors.entries()) {
      for (const glob of directories) this.directories.add(glob, selector)
      for (const glob of files) this.files.add(glob, selector)
    }
  }
}

/** One pass over paths. */
export class Selection {
  readonly #selectors: Selectors
  /** From the root to the directory of the last path; each with the selectors that select everything below it. */
  readonly #open: { readonly key: PathKey; readonly selectors: readonly number[] }[] = [
    { key: '', selectors: NONE },
  ]

  constructor(selectors: Selectors) {
    this.#selectors = selectors
  }

  /** The positions of the selectors that select a file; each once. */
  of(key: PathKey): readonly number[] {
    const cut = key.lastIndexOf('\0')
    let directory = this.#open[this.#open.length - 1]
    if (cut !== (directory?.key.length || -1) || !key.startsWith(directory?.key ?? '')) {
      this.#enter(cut < 0 ? '' : key.slice(0, cut))
      directory = this.#open[this.#open.length - 1]
    }
    const above = directory?.selectors ?? NONE
    const own = this.#selectors.files.matching(key, cut + 1)
    return own === NONE ? above : union(above, own)
  }

  #enter(directory: PathKey): void {
    const open = this.#open
    while (open.length > 1 && !isWithin(directory, open[open.length - 1]?.key ?? '')) open.pop()
    let last = open[open.length - 1] ?? { key: '', selectors: NONE }
    while (last.key !== directory) {
      const start = last.key === '' ? 0 : last.key.length + 1
      const cut = directory.indexOf('\0', start)
      const key = cut < 0 ? directory : directory.slice(0, cut)
      const own = this.#selectors.directories.matching(key, start)
      last = { key, selectors: own === NONE ? last.selectors : union(last.selectors, own) }
      open.push(last)
    }
  }
}

function union(some: readonly number[], others: readonly number[]): readonly number[] {
  return [...new Set([...some, ...others])]
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const values = map.get(key)
  if (values === undefined) map.set(key, [value])
  else values.push(value)
}
