/** Whole screens, as a terminal shows them. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { FixtureRegistry } from '../../test/registry/fixture.ts'
import { type AskedApp, startApp } from '../../test/support/app.ts'
import { type Explored, type ExploreOptions, explored } from '../../test/support/explored.ts'
import { makeImage, makeLayer } from '../../test/support/images.ts'
import { zipOf } from '../../test/support/zip.ts'

let registry: FixtureRegistry
let app: AskedApp
let image: string
let image2: string

const STATUS =
  'Package: tool\nVersion: 1.2\nStatus: install ok installed\nInstalled-Size: 9\nArchitecture: amd64\n\n'
const LINES = Array.from({ length: 60 }, (_, i) => `line ${i + 1}`).join('\n')
/** How names look on a screen. */
const NAMES: Readonly<Record<string, string>> = {
  '日本語のファイル.txt': '日本語のファイル.txt',
  'cafe\u0301.txt': 'cafe\u0301.txt',
  '👍🏽 ❤️ 🇩🇪.txt': '👍🏽 ❤️ 🇩🇪.txt',
  'esc\x1b[2J\x1b]0;owned\x07': 'esc\\x1b[2J\\x1b]0;owned\\x07',
  'two\nlines': 'two\\nlines',
  'rlo\u202etxt.exe': 'rlo\\u202etxt.exe',
}

beforeAll(async () => {
  registry = await FixtureRegistry.start()
  const base = await makeLayer([
    { name: 'etc/app.conf', content: LINES },
    { name: 'etc/copy.conf', content: LINES },
    { name: 'etc/copy2.conf', content: LINES },
    { name: 'etc/old.conf', content: 'old\n' },
    { name: 'opt/app.jar', content: Buffer.from(zipOf({ 'a/member.txt': 'one', README: 'read' })) },
    { name: 'opt/data.bin', content: Buffer.from([0, 1, 2, 0xfe]) },
    { name: 'var/lib/dpkg/status', content: STATUS },
    { name: 'var/cache/large', content: 'x'.repeat(50_000) },
    ...Object.keys(NAMES).map((name, i) => ({ name: `n/${name}`, content: 'y'.repeat(900 - i) })),
  ])
  const changes = await makeLayer([
    { name: 'etc/app.conf', content: LINES.replace('line 7\n', 'line seven\n') },
    { name: 'etc/.wh.old.conf', content: '' },
    { name: 'var/cache/.wh.large', content: '' },
    { name: 'opt/app.jar', content: Buffer.from(zipOf({ 'b/later.txt': 'two' })) },
  ])
  image = registry.push('app', 'v1', makeImage([base, changes]))
  const moved = await makeLayer([
    { name: 'etc/app.conf', content: LINES.replace('line 9\n', 'line nine\n') },
    { name: 'opt/.wh.data.bin', content: '' },
    { name: 'srv/data.bin', content: 'moved\n' },
  ])
  image2 = registry.push('app', 'v2', makeImage([base, moved]))
  app = startApp()
})

const open: Explored[] = []

afterEach(async () => {
  for (const one of open.splice(0)) await one.leave()
})

afterAll(async () => {
  await registry.close()
})

function start(options: ExploreOptions = {}, second?: string): Explored {
  const one = explored(app, second === undefined ? [image] : [image, second], options)
  open.push(one)
  return one
}

/** Waits for a screen with all of these texts. */
async function sees({ emulator }: Explored, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) await expect.poll(() => emulator.text, { interval: 5 }).toContain(text)
}

const SIZES = [
  { columns: 60, rows: 16 },
  { columns: 80, rows: 24 },
  { columns: 200, rows: 60 },
] as const

/** What only this view says. */
const VIEWS = {
  tree: ['1 tree', '- /', '+ var/'],
  layers: ['2 layers', '  #      pull    stored     waste  step', '72.2 kB'],
  waste: ['3 waste', 'layer   by  path', 'var/cache/large'],
  advice: ['4 advice', 'what to change', 'B  '],
  packages: ['5 packages', 'version', 'deb'],
  duplicates: ['6 duplicates', 'copies', '2 ×'],
  changes: ['7 changes', 'delta', 'app.conf'],
  largest: ['8 largest', 'layer  path', 'copy.conf'],
  image: ['9 image', 'reference', 'app:v1'],
} as const

test.each([{ hasColour: true }, { hasColour: false }])(
  'all views at all sizes, colour: $hasColour',
  async (look) => {
    const one = start(look)
    const { emulator } = one
    await sees(one, '+ var/')
    for (const size of SIZES) {
      emulator.resize(size)
      for (const [i, texts] of Object.values(VIEWS).entries()) {
        one.type(String(i + 1))
        await sees(one, ...texts)
        await expect.poll(() => faults(one, look)).toEqual([])
      }
    }
  },
)

/** What is wrong with a screen. */
function faults({ emulator }: Explored, { hasColour }: { readonly hasColour: boolean }): readonly string[] {
  const { lines } = emulator
  const found: string[] = []
  if (!/ {2}\? keys {2}q quit$/.test(lines.at(-1) ?? '')) found.push(`no keys: ${lines.at(-1)}`)
  if (!lines[0]?.startsWith('127.0.0.1')) found.push(`no reference: ${lines[0]}`)
  if (lines.at(-2) === '') found.push('nothing is selected')
  const cells = lines.map((_, y) => emulator.cells(y))
  const inverse = cells.filter((row) => row.some(({ isInverse }) => isInverse))
  if (hasColour) {
    if (inverse.length !== 1) found.push(`${inverse.length} rows are selected`)
    if (inverse[0]?.some(({ isInverse }) => !isInverse)) found.push('part of a row is selected')
  } else {
    const marked = lines.filter((line) => line.startsWith('>'))
    if (marked.length !== 1) found.push(`${marked.length} rows are selected`)
    const isPlain = cells
      .flat()
      .every(
        (one) => !one.isInverse && !one.isBold && !one.isDim && !one.isUnderlined && one.colour === undefined,
      )
    if (!isPlain) found.push('there are styles')
  }
  return found
}

test('below 60 x 16 it says so, and waits', async () => {
  const one = start()
  await sees(one, '+ var/')
  one.emulator.resize({ columns: 59, rows: 16 })
  await expect.poll(() => one.emulator.text.trimEnd()).toBe('too small: 60 x 16 needed')
  one.emulator.resize({ columns: 60, rows: 16 })
  await sees(one, '+ var/', 'q quit')
})

test('wide, combining and hostile names stay in their columns and their rows', async () => {
  const one = start()
  const { emulator } = one
  await sees(one, '+ var/')
  one.type('/日本\r')
  const names = Object.values(NAMES)
  await sees(one, ...names.filter((shown) => !shown.includes('.txt') || shown.includes('本')))
  const rows = emulator.lines.filter((line) => /^ +(?:900|89\d) B /.test(line))
  expect(rows.map((line) => line.slice(0, 10).trim())).toEqual(
    Object.keys(NAMES).map((_, i) => `${900 - i} B`),
  )
  for (const [i, shown] of names.entries()) {
    // This emulator takes emoji for narrower.
    const squeezed = (line = '') => line.replace(/\s+/g, '')
    await expect.poll(() => squeezed(emulator.lines.at(-2))).toBe(squeezed(`n/${shown}${900 - i}B`))
    const selected = emulator.lines.findIndex((_, y) => emulator.cells(y).every(({ isInverse }) => isInverse))
    expect(squeezed(emulator.lines[selected])).toContain(squeezed(shown))
    one.type('j')
  }
})

test('a slow terminal gets the last screen, not those between', async () => {
  const one = start()
  const { emulator } = one
  await sees(one, '+ var/')
  const before = emulator.frames
  emulator.hold()
  for (let i = 0; i < 50; i++) {
    for (const key of 'jjjkkk]b') one.type(key)
    await new Promise((resolve) => setImmediate(resolve))
  }
  one.type('8')
  emulator.release()
  await sees(one, ...VIEWS.largest)
  expect(emulator.frames - before).toBeLessThan(20)
  await isRight(one)
})

test('a resize in the middle of a frame, and many of them, end with the right screen', async () => {
  const one = start()
  const { emulator } = one
  await sees(one, '+ var/')
  for (const columns of [61, 200, 75, 60, 133, 90]) {
    emulator.hold()
    one.type('j')
    await new Promise((resolve) => setImmediate(resolve))
    emulator.resize({ columns, rows: 16 + (columns % 30) })
    one.type('s')
    emulator.release()
  }
  await sees(one, 'q quit')
  await isRight(one)
})

/** What is shown is what is shown after all is drawn again. */
async function isRight(one: Explored): Promise<void> {
  const { emulator } = one
  const frames = emulator.frames
  await expect.poll(() => faults(one, { hasColour: true })).toEqual([])
  const before = emulator.text
  one.type('\x0c')
  await expect.poll(() => emulator.frames).toBeGreaterThan(frames)
  await expect.poll(() => emulator.text).toBe(before)
}

test('what exists is opened: a text with numbers, bytes as hex, an archive; `q` leads back, then out', async () => {
  const one = start()
  await sees(one, '+ var/')
  one.type('/data.bin\r\r')
  await sees(one, 'opt/data.bin  1-2 of 2', '00000000  00 01 02 fe')
  one.type('q/app.conf\r\r')
  await sees(one, 'etc/app.conf  1-19 of 60', ' 7  line seven', '← → sideways')
  one.type('/line 50\r')
  await sees(one, 'line 50', '/line 50')
  one.type('q')
  await sees(one, '- etc/')
  one.type('/app.jar\r\r')
  await sees(one, 'zip', 'b/later.txt')
  one.type('q')
  await sees(one, '- opt/')
  // What is typed behind it is for the shell.
  one.type('qjjj')
  await one.ended
  await one.leave()
  open.length = 0
  expect(one.emulator.isAlternate).toBe(false)
  expect(one.emulator.written.endsWith('\x1b[?1049l')).toBe(true)
  expect(one.emulator.modes).toEqual({ mouse: 'none', isSynchronized: false, wraps: true, hasCursor: true })
  expect(one.keyboard.isRaw).toBe(false)
})

test('`v` compares a file of two images, moved or not, and what a layer of one did', async () => {
  const two = start({}, image2)
  await sees(two, '+ var/')
  two.type('7')
  await sees(two, 'srv/data.bin')
  two.type('/app.conf\rv')
  await sees(two, '-line seven', '+line 7', '-line 9', '+line nine')
  two.type('q/srv/data\rv')
  await sees(two, 'opt/data.bin → srv/data.bin')

  const one = start()
  await sees(one, '+ var/')
  one.type('v')
  await sees(one, 'v compares files in changes (7) and in what a layer did (L)')
  one.type('L')
  await sees(one, 'layer 0')
  one.type(']')
  await sees(one, 'layer 1', '+ etc/')
  one.type('/app.conf\rv')
  await sees(one, '-line 7', '+line seven')
  one.type('q/old.conf\rv')
  await sees(one, '-old')
  one.type('q7/old.conf\rv')
  await sees(one, '-old', 'etc/old.conf')
})

test('a search in a list finds what is still to be read, and keys behind it wait for that', async () => {
  const files = Array.from({ length: 2_500 }, (_, i) => ({ name: `many/${i}`, content: 'x'.repeat(i + 1) }))
  const many = registry.push('many', 'v1', makeImage([await makeLayer(files)]))
  const one = explored(app, [many])
  open.push(one)
  await sees(one, '+ many/')
  // The smallest is on the third page.
  one.type('8/many/0\r\r')
  await sees(one, 'many/0  1-1 of 1', '1  x')
  one.type('q/many/nothing')
  await sees(one, 'no match', 'many/0  1 B')
})

test('advice fits the screen', async () => {
  const one = start({ columns: 60, rows: 24 })
  await sees(one, '+ var/')
  one.type('4')
  await sees(one, ...VIEWS.advice)
  one.type('\r')
  await sees(one, 'rule   ')
  const lines = one.emulator.lines.map((line) => line.trim())
  // Its last sentence ends on the screen.
  expect(lines.some((line) => line.endsWith('.'))).toBe(true)
})

test('the inside of a file is that of the layer that is shown', async () => {
  const one = start()
  await sees(one, '+ var/')
  one.type('L/app.jar\r')
  await sees(one, 'layer 0', 'opt/app.jar  ')
  one.type('\r')
  await sees(one, 'a/member.txt')
  one.type('q]')
  await sees(one, 'layer 1', 'opt/app.jar  ')
  one.type('\r')
  await sees(one, 'b/later.txt')
})

test('while layers are read, each has a line that tells how far it is', async () => {
  const three = ['a', 'b', 'c'].map((name) => makeLayer([{ name, content: randomBytes(2_000_000) }]))
  const base = await makeLayer([{ name: 'base', content: 'b' }])
  const first = explored(app, [registry.push('progress', 'base', makeImage([base]))])
  open.push(first)
  await sees(first, 'base')
  const release = Promise.withResolvers<void>()
  const slowly = {
    drip: { bytes: 64_000, milliseconds: 20 },
    holdAfter: { bytes: 1_500_000, until: release.promise },
  }
  const whole = registry.push('progress', 'v1', makeImage([base, ...(await Promise.all(three))]))
  registry.fault({ path: /progress\/blobs\/sha256/, method: 'GET' }, slowly, 9)
  const one = explored(app, [whole])
  open.push(one)
  const states = () =>
    one.emulator.lines.flatMap((line) => /^ {2}([0-3]) {2}( *[1-9]\d?%|\w+)/.exec(line)?.[2] ?? [])
  // The service reads two layers at once.
  const [percent, sorted] = [
    /^ *\d+%$/,
    () =>
      states()
        .map((state) => state.replace(percent, '%'))
        .toSorted(),
  ]
  await expect.poll(sorted, { timeout: 30_000 }).toEqual(['%', '%', 'done', 'waiting'])
  release.resolve()
  await sees(one, '- /')
})

test('a folder is extracted as the layer has it that is shown', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lamina-extract-'))
  const target = join(folder, 'opt')
  try {
    const one = start()
    await sees(one, '+ var/')
    one.type('L]/opt\r')
    await sees(one, 'layer 1', 'opt/  ')
    one.type(`e\x15${target}\r`)
    await sees(one, 'wrote ')
    expect(readdirSync(target, { recursive: true })).toEqual(['app.jar'])
    one.type('g/etc\r')
    await sees(one, 'etc/  ')
    one.type(`e\x15${target}-of-etc\r`)
    await sees(one, '-of-etc/')
    expect(readdirSync(`${target}-of-etc`)).toEqual(['app.conf'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the first line names the layer that is shown, and its step', async () => {
  const layers = [
    await makeLayer([{ name: 'a', content: 'a' }]),
    await makeLayer([{ name: 'b', content: 'b' }]),
  ]
  const history = [{ created_by: 'COPY a /' }, { created_by: `RUN make b ${'with many words '.repeat(9)}` }]
  const one = explored(app, [registry.push('steps', 'v1', makeImage(layers, { config: { history } }))])
  open.push(one)
  await sees(one, '- /')
  one.type('7')
  await expect.poll(() => one.emulator.lines[0]).toMatch(/ {2}layer 0 {2}COPY a \/$/)
  one.type('1L]')
  await expect.poll(() => one.emulator.lines[0]).toMatch(/^.{79}…$/)
  expect(one.emulator.lines[0]).toContain('  layer 1  RUN make b with')
  one.type('LL')
  await expect.poll(() => one.emulator.lines[0]).not.toContain('RUN')
})

test('what covers the screen is left with q, and says so', async () => {
  const one = start()
  await sees(one, '+ var/')
  one.type('5')
  await sees(one, ...VIEWS.packages)
  one.type('i')
  await sees(one, 'size  ', '? keys  q back')
  one.type('q')
  await sees(one, '? keys  q quit')
})
