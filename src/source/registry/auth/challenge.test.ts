import { describe, expect, it } from 'vitest'
import { parseChallenges } from './challenge.ts'

/** As plain data, which is easy to compare and print. */
const parse = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => ({ scheme, ...Object.fromEntries(parameters) }))

describe('the grammar of RFC 9110', () => {
  it.each([
    ['', []],
    ['Basic realm="x"', [{ scheme: 'basic', realm: 'x' }]],
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull"',
      [
        {
          scheme: 'bearer',
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:library/nginx:pull',
        },
      ],
    ],
    // A comma in a quoted string, as in a pull and push scope.
    [
      'Bearer realm="r",scope="repository:a:pull,push"',
      [{ scheme: 'bearer', realm: 'r', scope: 'repository:a:pull,push' }],
    ],
    // Several challenges, in one header or joined from several headers.
    [
      'Basic realm="a", Bearer realm="b", service="c"',
      [
        { scheme: 'basic', realm: 'a' },
        { scheme: 'bearer', realm: 'b', service: 'c' },
      ],
    ],
    // The specification's own example.
    [
      'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
      [
        { scheme: 'basic', realm: 'simple' },
        { scheme: 'newauth', realm: 'apps', type: '1', title: 'Login to "apps"' },
      ],
    ],
    ['Negotiate', [{ scheme: 'negotiate' }]],
    ['Negotiate YWJj==, Basic realm=x', [{ scheme: 'negotiate' }, { scheme: 'basic', realm: 'x' }]],
    // Odd spacing, empty elements, names in other cases.
    [' ,, Bearer   REALM = "r"\t,\t Service= s ,', [{ scheme: 'bearer', realm: 'r', service: 's' }]],
    ['bearer realm="a\\\\b"', [{ scheme: 'bearer', realm: 'a\\b' }]],
    ['Basic realm=""', [{ scheme: 'basic', realm: '' }]],
    // The first value counts.
    ['Bearer realm="a",realm="b"', [{ scheme: 'bearer', realm: 'a' }]],
  ])('%s', (header, challenges) => {
    expect(parse(header)).toEqual(challenges)
  })
})

describe('what does not follow the grammar', () => {
  it.each([
    ['realm="x"', []],
    ['Bearer realm="never closed', [{ scheme: 'bearer' }]],
    ['"?" , Basic realm="x"', [{ scheme: 'basic', realm: 'x' }]],
    ['Bearer realm=, Basic realm="x"', [{ scheme: 'bearer' }, { scheme: 'basic', realm: 'x' }]],
  ])('is ignored: %s', (header, challenges) => {
    expect(parse(header)).toEqual(challenges)
  })

  it('is read in linear time, however long it is', () => {
    for (const piece of ['a="', '\\"', ',', 'a ', '"']) parseChallenges(`Bearer ${piece.repeat(100_000)}`)
  })
})
