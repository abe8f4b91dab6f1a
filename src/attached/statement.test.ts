import { expect, it } from 'vitest'
import { statementIn } from './statement.ts'

const STATEMENT = { predicateType: 'https://spdx.dev/Document', predicate: { spdxVersion: 'SPDX-2.3' } }

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const envelope = (payload: Uint8Array) => ({ payload: Buffer.from(payload).toString('base64') })

it('a statement is found bare, in an envelope, and in a bundle', () => {
  const signed = envelope(bytesOf(STATEMENT))
  for (const document of [STATEMENT, signed, { dsseEnvelope: signed }])
    expect(statementIn(bytesOf(document))?.statement).toEqual(STATEMENT)
})

it('an envelope gives the bytes that were signed', () => {
  const signed = new TextEncoder().encode(
    '{ "predicateType": "x", "predicate": {"n": 12345678901234567890} }',
  )
  const found = statementIn(bytesOf({ dsseEnvelope: envelope(signed) }))
  expect(new TextDecoder().decode(found?.bytes)).toBe(new TextDecoder().decode(signed))
})

it('anything else has none', () => {
  const others = [
    null,
    [],
    {},
    { payload: 1 },
    { dsseEnvelope: {} },
    envelope(bytesOf('text')),
    { predicate: {} },
  ]
  for (const document of others) expect(statementIn(bytesOf(document))).toBeUndefined()
  expect(statementIn(new TextEncoder().encode('{"predicate'))).toBeUndefined()
  expect(statementIn(new TextEncoder().encode('['.repeat(200_000) + ']'.repeat(200_000)))).toBeUndefined()
})
