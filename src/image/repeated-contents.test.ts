import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { RepeatedContents } from './repeated-contents.ts'

const digest = (name: string) => hash('sha256', name, 'binary')
const start = (name: string) => hash('sha256', name, 'buffer').readUInt32BE()

test('finds what was added twice, and little else', () => {
  const contents = new RepeatedContents(3000)
  for (let i = 0; i < 2000; i++) contents.add(start(`once ${i}`))
  for (let i = 0; i < 500; i++) for (let time = 0; time < 2; time++) contents.add(start(`twice ${i}`))
  const found = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => contents.has(digest(`${name} ${i}`))).filter(Boolean).length
  expect(found('twice', 500)).toBe(500)
  expect(found('once', 2000)).toBeLessThan(200)
  expect(found('never', 2000)).toBeLessThan(200)
})
