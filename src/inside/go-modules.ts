/** The code of a Go program by module: each function belongs to the module of its package. */
import { type ByteString, compareText, decodeText } from '../text/bytes.ts'
import type { GoFunctions } from './go-functions.ts'

/** What a program's build info says about its modules. */
export type GoModules = {
  /** Of the toolchain, without `go`. */
  readonly version?: string | undefined
  /** Path of the main module. */
  readonly main?: string | undefined
  /** By the path that packages have, which may not be the name of what replaces the module. */
  readonly known: ReadonlyMap<string, { readonly name: string; readonly version?: string | undefined }>
}

export type ModuleBytes = {
  /** `stdlib` for the standard library, `other` for what belongs to no module. */
  readonly name: string
  readonly version?: string
  readonly functions: number
  readonly bytes: number
}

type Sum = { functions: number; bytes: number }
type Owner = { readonly module: string } | 'stdlib' | 'other'

/** Largest first, then by name. Undefined if the table of functions is damaged. */
export function bytesByModule(
  functions: GoFunctions,
  modules: GoModules,
): readonly ModuleBytes[] | undefined {
  const sums = new Map<string, { readonly owner: Owner; readonly sum: Sum }>()
  const packages = new Map<ByteString, Sum>()
  for (let index = 0; index < functions.count; index++) {
    const name = functions.name(index)
    if (name === undefined) return undefined
    const found = packageOf(name)
    let sum = packages.get(found)
    if (sum === undefined) {
      sum = { functions: 0, bytes: 0 }
      packages.set(found, sum)
    }
    sum.functions++
    sum.bytes += functions.bytes(index)
  }
  for (const [name, { functions: count, bytes }] of packages) {
    const owner = ownerOf(name, modules)
    const key = typeof owner === 'string' ? owner : ` ${owner.module}`
    const known = sums.get(key) ?? { owner, sum: { functions: 0, bytes: 0 } }
    known.sum.functions += count
    known.sum.bytes += bytes
    sums.set(key, known)
  }
  return [...sums.values()]
    .map(({ owner, sum }) => ({ ...shown(owner, modules), ...sum }))
    .sort((a, b) => b.bytes - a.bytes || compareText(a.name, b.name))
}

function shown(
  owner: Owner,
  { known, version }: GoModules,
): { readonly name: string; readonly version?: string } {
  if (owner === 'other') return { name: owner }
  const named = owner === 'stdlib' ? { name: owner, version } : known.get(owner.module)
  return { name: named?.name ?? '', ...(named?.version ? { version: named.version } : {}) }
}

function ownerOf(name: ByteString, { known, main }: GoModules): Owner {
  const path = decodeText(name).text
  if (path === 'main') return main === undefined ? 'other' : { module: main }
  for (let part = path; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('/'))))
    if (known.has(part)) return { module: part }
  // A path that begins with a name without a dot can only be the standard library's.
  return path !== '' && !path.split('/', 1)[0]?.includes('.') ? 'stdlib' : 'other'
}

/**
 * The package of a function: its name up to the first dot after the last slash, without type arguments. Empty for names without
 * a package, as assembly has, and for what the compiler makes for types of any package.
 */
export function packageOf(name: ByteString): ByteString {
  if (
    name.startsWith('type:') ||
    name.startsWith('go:') ||
    name.startsWith('type..') ||
    name.startsWith('go..')
  )
    return ''
  const open = name.indexOf('[')
  const plain =
    open < 0 || !name.includes(']') ? name : name.slice(0, open) + name.slice(name.lastIndexOf(']') + 1)
  const dot = plain.indexOf('.', Math.max(0, plain.lastIndexOf('/')))
  if (dot < 0) return ''
  const path = plain.slice(0, dot)
  if (!path.includes('%')) return path
  return path.replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
