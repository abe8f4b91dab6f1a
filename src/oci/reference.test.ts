import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatReference, parseReference } from './reference.ts'

const HEX = 'a'.repeat(64)

describe('what docker pull accepts', () => {
  it.each([
    ['nginx', { registry: 'docker.io', repository: 'library/nginx', tag: 'latest' }],
    ['nginx:1.27', { registry: 'docker.io', repository: 'library/nginx', tag: '1.27' }],
    ['a/b', { registry: 'docker.io', repository: 'a/b', tag: 'latest' }],
    ['docker.io/nginx', { registry: 'docker.io', repository: 'library/nginx', tag: 'latest' }],
    ['index.docker.io/nginx', { registry: 'docker.io', repository: 'library/nginx', tag: 'latest' }],
    ['index.docker.io/a/b:c', { registry: 'docker.io', repository: 'a/b', tag: 'c' }],
    ['ghcr.io/o/r:tag', { registry: 'ghcr.io', repository: 'o/r', tag: 'tag' }],
    ['quay.io/r', { registry: 'quay.io', repository: 'r', tag: 'latest' }],
    ['localhost/x', { registry: 'localhost', repository: 'x', tag: 'latest' }],
    ['localhost:5000/x', { registry: 'localhost:5000', repository: 'x', tag: 'latest' }],
    ['GHCR.io/x', { registry: 'ghcr.io', repository: 'x', tag: 'latest' }],
    ['UPPER/x', { registry: 'UPPER', repository: 'x', tag: 'latest' }],
    ['[::1]:5000/x:y', { registry: '[::1]:5000', repository: 'x', tag: 'y' }],
    ['[2001:DB8::1]/x', { registry: '[2001:db8::1]', repository: 'x', tag: 'latest' }],
    ['127.0.0.1:5600/app:v1', { registry: '127.0.0.1:5600', repository: 'app', tag: 'v1' }],
    ['a-b.c/d--e/f__g/h.i_j', { registry: 'a-b.c', repository: 'd--e/f__g/h.i_j', tag: 'latest' }],
    [`nginx@sha256:${HEX}`, { registry: 'docker.io', repository: 'library/nginx', digest: `sha256:${HEX}` }],
    [`h:1/x:t@sha256:${HEX}`, { registry: 'h:1', repository: 'x', tag: 't', digest: `sha256:${HEX}` }],
    ['x:_under', { registry: 'docker.io', repository: 'library/x', tag: '_under' }],
    [`x:${'t'.repeat(128)}`, { registry: 'docker.io', repository: 'library/x', tag: 't'.repeat(128) }],
    [`a.b/${'r'.repeat(255)}`, { registry: 'a.b', repository: 'r'.repeat(255), tag: 'latest' }],
  ])('%s', (text, reference) => {
    expect(parseReference(text)).toEqual(reference)
    expect(parseReference(formatReference(reference))).toEqual(reference)
  })
})

describe('what docker pull refuses, with the part that is wrong', () => {
  it.each([
    ['', 'reference is empty'],
    [' nginx', 'part " nginx"'],
    ['library/UPPER', 'repository "library/UPPER" must be lower case'],
    [HEX, '64 hex digits'],
    ['x:', 'tag is empty'],
    ['x:-t', 'tag "-t"'],
    [`x:${'t'.repeat(129)}`, 'tag "ttt'],
    ['x:a:b', 'tag "a:b"'],
    ['x@', 'digest ""'],
    ['x@sha256:abc', '64 hex digits'],
    [`x@sha256:${HEX.toUpperCase()}`, 'lower case'],
    [`x@SHA256:${HEX}`, 'digest "SHA256:'],
    [`x@sha256:${HEX}@sha256:${HEX}`, 'digest "sha256:'],
    ['a//b', 'empty part'],
    ['/a', 'empty part'],
    ['a/', 'empty part'],
    ['h.io/', 'repository is empty'],
    ['h.io/-a', 'part "-a"'],
    ['h.io/a___b', 'part "a___b"'],
    ['h.io/a..b', 'part "a..b"'],
    ['h.io/a_', 'part "a_"'],
    [`h.io/${'r'.repeat(256)}`, '255 characters'],
    ['r'.repeat(250), '255 characters'],
    ['localhost./x', 'host "localhost."'],
    ['-h.io/x', 'host "-h.io"'],
    ['h_h.io/x', 'host "h_h.io"'],
    [':5000/x', 'no host'],
    ['h:/x', 'port ""'],
    ['h:http/x', 'port "http"'],
    ['h:65536/x', 'port "65536"'],
    ['h:0/x', 'port "0"'],
    ['nginx:1.27/x', 'port "1.27"'],
    ['[::1/x', 'IPv6'],
    ['[:::1]/x', 'IPv6'],
    ['[::ffff:127.0.0.1]/x', 'IPv6'],
    ['[::1]x/y', 'host'],
    ['user@h.io/x', 'digest "h.io/x"'],
    ['http://h.io/x', 'port ""'],
    ['h.io/x?y', 'part "x?y"'],
    ['h.io/x%2fy', 'part "x%2fy"'],
    ['h.io/x\n', 'part "x\\n"'],
    ['x'.repeat(2_000), '1024 characters'],
  ])('%j', (text, detail) => {
    expect(() => parseReference(text)).toThrow(
      expect.objectContaining({ code: 'invalid_reference', message: expect.stringContaining(detail) }),
    )
  })

  it('a digest of another algorithm is reported as unsupported', () => {
    for (const digest of [`sha512:${'a'.repeat(128)}`, `md5:${'a'.repeat(32)}`])
      expect(() => parseReference(`x@${digest}`)).toThrow(
        expect.objectContaining({ code: 'unsupported_digest' }),
      )
  })
})

it('everything accepted reads back unchanged', () => {
  const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:[._]|__|-{1,3})[a-z0-9]{1,8}){0,2}$/)
  const host = fc.stringMatching(/^[a-zA-Z0-9]{1,8}(?:\.[a-zA-Z0-9]{1,8}){1,2}(?::[1-9][0-9]{0,3})?$/)
  const tag = fc.stringMatching(/^\w[\w.-]{0,20}$/)
  fc.assert(
    fc.property(
      fc.option(host, { nil: undefined }),
      fc.array(component, { minLength: 1, maxLength: 4 }),
      fc.option(tag, { nil: undefined }),
      (registry, path, t) => {
        const text = `${registry === undefined ? 'namespace/' : `${registry}/`}${path.join('/')}${t === undefined ? '' : `:${t}`}`
        const reference = parseReference(text)
        expect(reference.tag).toBe(t ?? 'latest')
        expect(reference.repository.endsWith(path.join('/'))).toBe(true)
        expect(parseReference(formatReference(reference))).toEqual(reference)
      },
    ),
    { numRuns: process.env.LAMINA_LONG ? 20_000 : 300 },
  )
})
