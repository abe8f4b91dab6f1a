import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tries } from '../../test/layers/tries.ts'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { choice, int64, optional, path } from './column.ts'
import { SortedRows } from './external-sort.ts'
import { defineSchema } from './schema.ts'
import { plainRow } from './table.ts'

type Row = {
  readonly key: string
  readonly bytes: number
  readonly kind: 'a' | 'b' | 'c'
  readonly extra: number | undefined
}

const ROWS = defineSchema<Row>({
  key: path('path'),
  bytes: int64('bytes'),
  kind: choice('kind', ['a', 'b', 'c']),
  extra: optional(int64('extra')),
})

const row: fc.Arbitrary<Row> = fc.record({
  key: fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\xff'), maxLength: 5 }),
  bytes: fc.nat(9),
  kind: fc.constantFrom('a', 'b', 'c'),
  extra: fc.option(fc.nat(9), { nil: undefined }),
})

test('rows come back in a stable sort, however little fits in memory', async () => {
  const limits = fc.record({
    rows: fc.integer({ min: 1, max: 20 }),
    bytes: fc.constantFrom(10, 1000),
    fanIn: fc.integer({ min: 2, max: 4 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 60 }), limits, async (rows, limits) => {
      const store = new MemoryStore()
      const sorted = new SortedRows(store, {
        schema: ROWS,
        compare: (a, b) => b.bytes - a.bytes,
        weigh: ({ key }) => key.length,
        limits,
      })
      await sorted.addAll(rows)
      const found: Row[] = []
      for await (const batch of sorted.sorted()) found.push(...batch.map((one) => plainRow(ROWS, one)))
      expect(found).toEqual(rows.toSorted((a, b) => b.bytes - a.bytes))
      await sorted.delete()
      expect(store.objects.size).toBe(0)
    }),
    { numRuns: tries(200, 5_000) },
  )
})
