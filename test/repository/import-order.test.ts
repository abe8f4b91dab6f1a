/** The check of imports finds what breaks the order of layers. */
import { expect, test } from 'vitest'
import { findFaults } from './import-order.ts'

const faultsOf = (imports: Record<string, readonly string[]>) => findFaults(new Map(Object.entries(imports)))

test('a file may import from its own layer and those below it', () => {
  const imports = {
    'src/tar/scan.ts': ['src/tar/pax.ts', 'src/text/bytes.ts'],
    'src/tar/pax.ts': ['src/problem.ts'],
  }
  expect(faultsOf(imports)).toEqual([])
})

test('a file may not import from a layer above it', () => {
  expect(faultsOf({ 'src/tar/scan.ts': ['src/layer/entry.ts'] })).toEqual([
    expect.stringContaining('src/tar/scan.ts imports src/layer/entry.ts, which stands above it'),
  ])
})

test('files may not import each other in a circle', () => {
  const imports = {
    'src/tar/a.ts': ['src/tar/b.ts'],
    'src/tar/b.ts': ['src/tar/c.ts'],
    'src/tar/c.ts': ['src/tar/b.ts'],
  }
  expect(faultsOf(imports)).toEqual([
    'these files import each other: src/tar/b.ts → src/tar/c.ts → src/tar/b.ts',
  ])
})

test('each file is in a layer', () => {
  expect(faultsOf({ 'src/new/a.ts': [] })).toEqual([
    expect.stringContaining('src/new/a.ts stands in no layer'),
  ])
})
