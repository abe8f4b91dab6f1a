import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor } from './cursor.ts'

const digest = `sha256:${'ab'.repeat(32)}`
const query = { image: 'app:v1', sort: 'path', limit: 20, cursor: undefined }

test('a cursor reads back unchanged', () => {
  const cursor = { pins: [digest], at: 4711 }
  expect(decodeCursor(encodeCursor(cursor, query), query)).toEqual(cursor)
  const tags = { pins: [], at: 'v1.0-ü' }
  expect(decodeCursor(encodeCursor(tags, query), query)).toEqual(tags)
})

test('the page size may change between pages, the query may not', () => {
  const text = encodeCursor({ pins: [digest], at: 1 }, query)
  expect(decodeCursor(text, { ...query, limit: 1000, cursor: text, wait: 60 }).at).toBe(1)
  expect(() => decodeCursor(text, { ...query, sort: '-bytes' })).toThrow('other parameters')
  expect(() => decodeCursor(text, { ...query, image: 'app:v2' })).toThrow('other parameters')
})

test.each(['', 'x', 'W10', Buffer.from('[["../../etc"],1,"x"]').toString('base64url'), 'ÿ'])(
  '%j is not a cursor',
  (text) => {
    expect(() => decodeCursor(text, query)).toThrow(
      expect.objectContaining({ code: 'invalid_parameter', fields: { parameter: 'cursor' } }),
    )
  },
)
