/** What matching costs per character of a path: for the worst lists of globs that are accepted, and as paths grow. */
import { compileGlobSet } from '../../src/text/glob.ts'
import { best, line } from './measure.ts'

const RUNS = 5
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

const LISTS: Readonly<Record<string, readonly string[]>> = {
  'one suffix': ['**/*.so'],
  'a hundred rules': Array.from({ length: 100 }, (_, i) => `**/directory-${i}/**/*.ext${i}`),
  'wildcards behind a star': Array.from({ length: 70 }, (_, i) => `**a${'?'.repeat(100)}${i}`),
  'many stars': Array.from({ length: 100 }, (_, i) =>
    Array.from({ length: 35 }, (_, j) => `**${LETTERS[(i + 7 * j) % 26]}`).join(''),
  ),
}

export default async function globs(): Promise<void> {
  const cost = (list: readonly string[], length: number) => nanosecondsACharacter(list, length)
  const plain = cost(['**/*.so'], 1_000)
  for (const [name, list] of Object.entries(LISTS)) {
    const [short, long] = [cost(list, 1_000), cost(list, 100_000)]
    line(name, {
      'ns a character': long,
      'a path of 100 times the length': long / short,
      'one suffix': long / plain,
    })
  }
}

function nanosecondsACharacter(list: readonly string[], length: number): number {
  const matches = compileGlobSet(list)
  const path = Array.from({ length }, (_, i) => LETTERS[(i * i + 3 * i) % 26]).join('')
  const repeats = 200_000 / length
  const times = Array.from({ length: RUNS }, () => {
    const { user } = process.cpuUsage()
    for (let i = 0; i < repeats; i++) matches(path)
    return process.cpuUsage().user - user
  })
  return (1_000 * best(times)) / (repeats * length)
}
