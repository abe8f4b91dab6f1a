import { expect, test } from 'vitest'
import { writeAll } from './write-all.ts'

const failure = (code: string) => Object.assign(new Error(code), { code })

test('what is written in parts, and to a full terminal, arrives whole', () => {
  let written = ''
  let calls = 0
  writeAll((bytes) => {
    if (++calls % 2 === 1) throw failure('EAGAIN')
    const part = Buffer.from(bytes.subarray(0, 3))
    written += part.toString()
    return part.length
  }, 'the alternate screen')
  expect(written).toBe('the alternate screen')
})

test('a terminal that stays full is given up, one that is gone is told', () => {
  let calls = 0
  const always = (code: string) => () => {
    calls++
    throw failure(code)
  }
  writeAll(always('EAGAIN'), 'text')
  expect(calls).toBeGreaterThan(1)
  expect(() => writeAll(always('EIO'), 'text')).toThrow('EIO')
})
