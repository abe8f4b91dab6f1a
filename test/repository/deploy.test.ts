/** `docs/deploy.md`: the settings that it names exist, and its costs match its counts. */
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { costTable } from '../../deploy/costs.ts'
import { parseConfiguration } from '../../src/configuration.ts'

const document = await readFile(new URL('../../docs/deploy.md', import.meta.url), 'utf8')

it('names only settings that exist', () => {
  const names = new Set(document.match(/\bLAMINA_[A-Z0-9_]+/g))
  expect(names.size).toBeGreaterThan(5)
  const complaint = (name: string) => {
    try {
      parseConfiguration({ [name]: '1' }, 'node')
    } catch (error) {
      return String(error)
    }
    return ''
  }
  expect(complaint('LAMINA_NO_SETTING')).toContain('is not a setting')
  for (const name of names) expect(complaint(name)).not.toContain('is not a setting')
})

/** Rows of the table with `image` as its first column and a column `has`. */
function table(has: string): readonly Record<string, string>[] {
  const lines = document.split('\n')
  const cells = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
  const head = lines.findIndex((line) => cells(line)[0] === 'image' && cells(line).includes(has))
  const columns = cells(lines[head] ?? '')
  const body = lines.slice(head + 2)
  const rows = body.slice(
    0,
    body.findIndex((line) => !line.startsWith('|')),
  )
  return rows.map((line) => Object.fromEntries(cells(line).map((cell, i) => [columns[i] ?? '', cell])))
}

const number = (text: string | undefined) => Number((text ?? '').replace(/[$,]/g, ''))

it('states the costs of its operations at the prices that it names', () => {
  const price = (pattern: RegExp) => Number(pattern.exec(document)?.[1])
  const prices = {
    puts: price(/\$([\d.]+) a million puts/),
    gets: price(/\$([\d.]+) a million gets/),
    cpu: price(/\$([\d.]+) a million ms/),
    month: price(/\$([\d.]+) a GB and month/),
  }
  const counts = table('CPU, ms')
  const costs = table('objects')
  expect(costs.map(({ image }) => image)).toEqual(counts.map(({ image }) => image))
  expect(costs.length).toBe(5)
  for (const [i, cost] of costs.entries()) {
    // A thousand images at a price per million.
    const puts = (number(counts[i]?.puts) * prices.puts) / 1000
    const gets = (number(counts[i]?.['gets and heads']) * prices.gets) / 1000
    const cpu = (number(counts[i]?.['CPU, ms']) * prices.cpu) / 1000
    const month = number(counts[i]?.['index, MB']) * prices.month
    expect(number(cost.puts)).toBeCloseTo(puts, 3)
    expect(number(cost['gets and heads'])).toBeCloseTo(gets, 3)
    expect(number(cost.CPU)).toBeCloseTo(cpu, 3)
    expect(number(cost['and a month of keeping it'])).toBeCloseTo(month, 3)
    expect(number(cost.all)).toBeCloseTo(puts + gets + cpu + number(cost.objects), 2)
  }
})

it('has the table of a month that the script computes', () => {
  expect(document).toContain(costTable())
})
