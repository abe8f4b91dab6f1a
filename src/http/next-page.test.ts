import { expect, test } from 'vitest'
import { nextPage } from './next-page.ts'

test.each([
  ['/', '/'],
  ['/?from=a%3A1&to=b', '/?from=a%3A1&to=b'],
  ['/files?image=app:v1&path=a//b', '/files?image=app:v1&path=a//b'],
  [undefined, '/'],
  ['', '/'],
  ['files', '/'],
  ['https://evil.example/', '/'],
  ['//evil.example/', '/'],
  ['/\\evil.example/', '/'],
  ['/\t/evil.example/', '/'],
  ['\\\\evil.example', '/'],
  ['/..//evil.example', '/'],
  ['/.//evil.example', '/'],
  ['/%2e%2e//evil.example', '/'],
  ['javascript:alert(1)', '/'],
  ['/login?next=/', '/'],
  ['/logout', '/'],
])('%j leads to %j', (text, page) => {
  expect(nextPage(text)).toBe(page)
  expect(new URL(nextPage(text), 'https://lamina.example').host).toBe('lamina.example')
})
