import { expect, it } from 'vitest'
import { redact } from './credentials.ts'

it.each([
  ['the password', 'no p4ssw0rd here', 'no [redacted] here'],
  ['the pair as sent', `no ${base64Pair()} here`, 'no [redacted] here'],
  ['the pair without its padding', `no ${base64Pair().replace(/=+$/, '')}, no`, 'no [redacted], no'],
  ['any Authorization', 'not Bearer abcdefghij', 'not Bearer [redacted]'],
])('credentials that a registry echoes are redacted: %s', (_, text, expected) => {
  expect(redact(text, { username: 'me', password: 'p4ssw0rd' })).toBe(expected)
})

function base64Pair(): string {
  return Buffer.from('me:p4ssw0rd').toString('base64')
}
