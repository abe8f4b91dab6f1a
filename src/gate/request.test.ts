import { describe, expect, test } from 'vitest'
import { readCheckRequest } from './request.ts'

function refusal(text: string, mediaType?: string) {
  try {
    return { request: readCheckRequest(text, mediaType) }
  } catch (error) {
    return error
  }
}

const invalid = expect.objectContaining({ code: 'invalid_parameter' })

describe('a policy', () => {
  const request = {
    image: 'nginx',
    platform: 'linux/arm64',
    policy: {
      rules: [
        { name: 'maxSize', limit: 200_000_000 },
        { name: 'maxLayers', limit: 10 },
        { name: 'deny', limit: '**/.git/**' },
        { name: 'deny', limit: '**/id_rsa' },
      ],
      ignore: ['var/**'],
    },
  }

  test('as JSON', () => {
    const body = {
      image: 'nginx',
      platform: 'linux/arm64',
      policy: { maxSize: '200MB', maxLayers: 10, deny: ['**/.git/**', '**/id_rsa'], ignore: 'var/**' },
    }
    expect(readCheckRequest(JSON.stringify(body), 'application/json; charset=utf-8')).toMatchObject(request)
  })

  test('as YAML', () => {
    const body = `
image: nginx
platform: linux/arm64
policy:
  maxSize: 200MB   # of all layers
  maxLayers: 10
  deny:
    - "**/.git/**"
    - '**/id_rsa'
  ignore: [ "var/**" ]
`
    expect(readCheckRequest(body, 'application/yaml')).toMatchObject(request)
    expect(readCheckRequest(body, undefined)).toMatchObject(request)
  })

  test('numbers are read exactly as written', () => {
    const { policy } = readCheckRequest(
      'image: x\npolicy: {maxWastedPercent: 10.10, maxFiles: 007}',
      'text/yaml',
    )
    expect(policy.rules).toMatchObject([
      { name: 'maxWastedPercent', limit: { digits: 1010n, scale: 2 } },
      { name: 'maxFiles', limit: 7 },
    ])
  })
})

describe('refused', () => {
  test.each([
    ['', 'nothing'],
    ['image: [', 'YAML that is none'],
    ['- image', 'a list'],
    ['nginx', 'a word'],
    ['image: x', 'no policy'],
    ['policy: {maxSize: 1}', 'no image'],
    ['image: ""\npolicy: {maxSize: 1}', 'an empty image'],
    ['image: [x]\npolicy: {maxSize: 1}', 'an image that is no text'],
    ['image: x\npolicy: {}', 'a policy without rules'],
    ['image: x\npolicy:', 'an empty policy'],
    ['image: x\npolcy: {maxSize: 1}', 'a misspelt key'],
    ['image: x\npolicy: {maxSize: 1}\nwait: 3', 'a key that is a parameter elsewhere'],
    ['image: x\npolicy: {maxSize: 1, max_layers: 1}', 'a misspelt rule'],
    ['image: x\npolicy: {maxSize: [1, 2]}', 'two limits'],
    ['image: x\npolicy: {maxSize: }', 'a limit left out'],
    ['image: x\npolicy: {maxSize: 1}\npolicy: {maxSize: 2}', 'a key twice'],
    ['image: x\npolicy: {maxSize: 1, maxSize: 2}', 'a rule twice'],
    ['image: x\npolicy: {maxSize: 0x10}', 'a hexadecimal limit'],
    ['image: x\npolicy: {maxSize: 1e3}', 'a limit with an exponent'],
    ['image: x\npolicy: {maxSize: true}', 'a limit that is a boolean'],
    ['image: x\npolicy: {deny: []}', 'a list of no globs'],
    ['image: x\npolicy: {deny: [[a]]}', 'a list in a list'],
    ['image: x\npolicy: {deny: {a: b}}', 'a mapping of globs'],
    ['image: &x y\npolicy: {maxSize: 1, baseline: *x}', 'an alias'],
    ['image: !secret x\npolicy: {maxSize: 1}', 'a tag of its own'],
    ['%YAML 1.1\n---\nimage: x\npolicy: {maxSize: 1}', 'YAML 1.1'],
    ['image: x\npolicy: {maxSize: 1}\n---\nimage: y', 'two documents'],
    ['image: x\n? [a]\n: b', 'a key that is no text'],
    ['image: x\ndiveCi: "rules: {}"\npolicy: {maxSize: 1}', 'diveCi beside a policy'],
    ['image: x\ndiveCi: {rules: {}}', 'diveCi that is no text'],
  ])('%j', (text) => {
    expect(refusal(text)).toEqual(invalid)
  })

  test.each([
    ['image: x\npolicy: {maxSize: 1}', 'YAML that is called JSON'],
    ['{"image": "x", "policy": {"maxSize": "10GB", "maxSize": "1kB"}}', 'a rule twice'],
    ['{"image": "x", "policy": {"maxSize": null}}', 'a limit that is null'],
    ['{"image": "x", "policy": {"maxSize": -1}}', 'a negative limit'],
    ['{"image": "x", "__proto__": {"policy": {"maxSize": 1}}}', 'a prototype'],
  ])('as JSON %j', (text) => {
    expect(refusal(text, 'application/json')).toEqual(invalid)
  })

  test('a body of more than 1 MiB', () => {
    expect(refusal(`image: ${'x'.repeat(2 ** 20)}`)).toEqual(expect.objectContaining({ code: 'too_large' }))
  })

  test.each([
    ['brackets', '['.repeat(1_000_000)],
    ['keys', Array.from({ length: 100_000 }, (_, i) => `k${i}: 1`).join('\n')],
    ['anchors', '&a '.repeat(300_000)],
    ['deep nesting', '[ '.repeat(20_000)],
    ['nested lists', `image: x\npolicy:\n  deny: ${'- '.repeat(20_000)}`],
    ['folded text', `image: x\ndockerfile: >\n${' x\n'.repeat(300_000)}`],
    ['directives', '%a\n'.repeat(11_000)],
  ])('a megabyte of %s, before it gets expensive', (_, text) => {
    expect(refusal(text)).toEqual(invalid)
  })
})
