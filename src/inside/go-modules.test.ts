import { array, assert, asyncProperty, constantFrom, integer, option, record, string } from 'fast-check'
import { expect, test } from 'vitest'
import { buildElf } from '../../test/support/elf.ts'
import { type BuiltFunction, goTable } from '../../test/support/go-table.ts'
import { readElf } from './elf.ts'
import { readGoFunctions } from './go-functions.ts'
import { bytesByModule, type GoModules, packageOf } from './go-modules.ts'
import { rangesOf } from './ranges.ts'

const FORMS = [
  { class: 64, little: true },
  { class: 64, little: false },
  { class: 32, little: true },
  { class: 32, little: false },
] as const

async function modulesOf(
  functions: readonly BuiltFunction[],
  modules: GoModules,
  { form = FORMS[0], section = '.gopclntab', before = 0, magic = 0xfffffff1 }: Partial<Built> = {},
) {
  const table = Buffer.concat([Buffer.alloc(before), goTable(functions, form, magic)])
  const file = rangesOf(buildElf({ ...form, sections: [{ name: section, type: 1, flags: 2, data: table }] }))
  const found = await readGoFunctions(file, await readElf(file))
  return found && bytesByModule(found, modules)
}

type Built = {
  readonly form: (typeof FORMS)[number]
  readonly section: string
  readonly before: number
  readonly magic: number
}

/** As the linker writes it: the last part of a path has no dots. */
function escaped(path: string): string {
  const slash = path.lastIndexOf('/') + 1
  return path.slice(0, slash) + path.slice(slash).replaceAll('.', '%2e')
}

const PATHS = [
  'github.com/a/b',
  'github.com/a/b/v2',
  'gopkg.in/yaml.v3',
  'example.org',
  'example.org/x.y/z',
  'app',
] as const
const STDLIB = ['fmt', 'net/http', 'vendor/golang.org/x/net/idna', 'internal/abi'] as const
const FUNCTIONS = [
  'Do',
  '(*T).Do',
  'F[go.shape.int]',
  'M[net/url.URL,k8s.io/x.T].func1',
  'init.0',
  'init',
] as const
const ASSEMBLY = ['_rt0_amd64_linux', 'memeqbody', 'type:.eq.[2]net.IP', 'go:buildid'] as const

const known = array(constantFrom(...PATHS), { minLength: 1, maxLength: 5 }).map((paths) => [
  ...new Set(paths),
])
const part = string({ unit: constantFrom('a', 'b', '.', '-', '_', 'z'), minLength: 1, maxLength: 5 })

test('the code of random programs counts for the module of each function', async () => {
  const programs = record({
    known,
    functions: array(
      record({
        pick: integer({ min: 0, max: 99 }),
        below: option(part, { nil: undefined }),
        name: constantFrom(...FUNCTIONS),
        bytes: integer({ min: 0, max: 100_000 }),
        place: constantFrom('known', 'known', 'unknown', 'stdlib', 'main', 'assembly'),
      }),
      { minLength: 1, maxLength: 30 },
    ),
    form: constantFrom(...FORMS),
    // With cgo, a position-independent program has it somewhere in its data.
    table: constantFrom(
      { section: '.gopclntab', before: 0 },
      { section: '.data.rel.ro.gopclntab', before: 0 },
      { section: '.data.rel.ro', before: 64 },
    ),
    magic: constantFrom(0xfffffff0, 0xfffffff1),
  })
  await assert(
    asyncProperty(programs, async ({ known, functions, form, table, magic }) => {
      const main = known[0] ?? ''
      const sums = new Map<string, number>()
      const made = functions.map(({ pick, below, name, bytes, place }) => {
        const [owner, symbol] = ownedBy()
        sums.set(owner, (sums.get(owner) ?? 0) + bytes)
        return { name: symbol, bytes }

        function ownedBy(): readonly [owner: string, symbol: string] {
          switch (place) {
            case 'assembly':
              return ['other', ASSEMBLY[pick % ASSEMBLY.length] ?? '']
            case 'main':
              return [main, `main.${name}`]
            case 'stdlib':
              return ['stdlib', `${escaped(STDLIB[pick % STDLIB.length] ?? '')}.${name}`]
            case 'unknown':
              return ['other', `${escaped(`unknown.org/${below ?? 'x'}`)}.${name}`]
            case 'known': {
              const path = `${known[pick % known.length]}${below === undefined ? '' : `/${below}`}`
              const longest = known
                .filter((module) => `${path}/`.startsWith(`${module}/`))
                .sort((a, b) => b.length - a.length)
              return [longest[0] ?? 'other', `${escaped(path)}.${name}`]
            }
          }
        }
      })
      const modules = {
        version: '1.25',
        main,
        known: new Map(known.map((name) => [name, { name, version: 'v1' }])),
      }
      const found = await modulesOf(made, modules, { ...table, form, magic })
      expect(Object.fromEntries((found ?? []).map(({ name, bytes }) => [name, bytes]))).toEqual(
        Object.fromEntries(sums),
      )
      expect(found?.map(({ bytes }) => bytes)).toEqual([...sums.values()].sort((a, b) => b - a))
      expect(found?.reduce((sum, { functions: count }) => sum + count, 0)).toBe(functions.length)
    }),
    { numRuns: 300 },
  )
})

test('a damaged or unknown table is none', async () => {
  const modules = { known: new Map() }
  const functions = [{ name: 'fmt.Println', bytes: 10 }]
  expect(await modulesOf(functions, modules)).toEqual([{ name: 'stdlib', functions: 1, bytes: 10 }])
  // That of Go 1.16.
  expect(await modulesOf(functions, modules, { magic: 0xfffffffa })).toBeUndefined()
  expect(await modulesOf(functions, modules, { before: 8 })).toBeUndefined()
  expect(await modulesOf([...functions, { name: 'a.b', bytes: -5 }], modules)).toBeUndefined()
  expect(await modulesOf([], modules)).toBeUndefined()
})

test('the package of a function is what stands before the first dot behind its last slash', () => {
  for (const [name, path] of [
    ['gopkg.in/yaml%2ev3.(*Decoder).Decode', 'gopkg.in/yaml.v3'],
    ['pkg.F[go.shape.struct { net/url.U }]', 'pkg'],
    ['a.org/b.F[x.org/y.T].func1', 'a.org/b'],
    ['type:.eq.x', ''],
    ['memmove', ''],
  ] as const)
    expect([name, packageOf(name)]).toEqual([name, path])
})
