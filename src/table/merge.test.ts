import { expect, it } from 'vitest'
import { byText, mergeRows } from './merge.ts'

it('however many sources there are, only some are opened at the same time', async () => {
  let opening = 0
  let most = 0
  const source = async function* (n: number) {
    most = Math.max(most, ++opening)
    await new Promise((resolve) => setImmediate(resolve))
    opening--
    yield [`${n}`.padStart(3, '0')]
  }
  const sources = Array.from({ length: 200 }, (_, n) => source(n))
  const rows = (
    await Array.fromAsync(
      mergeRows(
        sources,
        byText((row: string) => row),
      ),
    )
  ).flat()
  expect(rows).toEqual(rows.toSorted())
  expect(rows).toHaveLength(200)
  expect(most).toBeLessThanOrEqual(16)
})
