import { expect, test } from 'vitest'
import { preferredType } from './negotiation.ts'

const offers = ['application/json', 'text/markdown', 'text/plain'] as const

test.each([
  [undefined, 'application/json'],
  ['*/*', 'application/json'],
  ['text/markdown', 'text/markdown'],
  ['TEXT/Markdown', 'text/markdown'],
  ['text/*', 'text/markdown'],
  ['text/html, text/plain;q=0.5, */*;q=0.1', 'text/plain'],
  ['text/plain;q=0.2, text/markdown;q=0.9', 'text/markdown'],
  ['application/json;q=0, */*', 'text/markdown'],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'application/json'],
  ['image/png', 'application/json'],
  ['nonsense;;;', 'application/json'],
])('Accept: %s is answered as %s', (accept, type) => {
  expect(preferredType(accept, offers)).toBe(type)
})
