import { describe, expect, it } from 'vitest'
import {
  credentialHash,
  parseDockerConfig,
  parseRegistryAuth,
  parseRegistryConfig,
  registryOf,
} from './credential.ts'

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('X-Registry-Auth', () => {
  const credential = { username: 'mü', password: 'a:b?>~' }

  it.each([
    ['base64, padded', base64(credential)],
    ['base64, not padded', base64(credential).replace(/=+$/, '')],
    ['base64url, not padded', base64url(credential)],
    ['base64url, padded', base64(credential).replaceAll('+', '-').replaceAll('/', '_')],
  ])('is read as %s', (_, header) => {
    expect(parseRegistryAuth(header)).toEqual({ credential, serverAddress: undefined })
  })

  it('may hold identity tokens and registry tokens', () => {
    expect(parseRegistryAuth(base64({ identitytoken: 'i' })).credential).toEqual({ identitytoken: 'i' })
    expect(parseRegistryAuth(base64({ registrytoken: 'r' })).credential).toEqual({ registrytoken: 'r' })
  })

  it('says which registry it is for', () => {
    const header = base64({ ...credential, serveraddress: 'https://index.docker.io/v1/' })
    expect(parseRegistryAuth(header).serverAddress).toBe('docker.io')
  })

  it('may be empty, which Docker clients send if they have no credential', () => {
    expect(parseRegistryAuth(base64({})).credential).toBeUndefined()
    expect(parseRegistryAuth(base64({ username: '', password: '' })).credential).toBeUndefined()
  })

  it.each([
    ['not base64', '{"username":"secret"}'],
    ['not JSON', Buffer.from('secret').toString('base64')],
    ['not UTF-8', Buffer.from([0xff, 0xfe]).toString('base64')],
    ['a list', base64(['secret'])],
    ['a number as the password', base64({ username: 'u', password: 12_345 })],
    ['only a password', base64({ password: 'secret' })],
    ['a colon in the username', base64({ username: 'sec:ret', password: 'secret' })],
    ['a line break in the password', base64({ username: 'u', password: 'secret\r\nx: y' })],
  ])('is refused without being repeated: %s', (_, header) => {
    const refusal = (() => {
      try {
        return String(JSON.stringify(parseRegistryAuth(header)))
      } catch (error) {
        return error
      }
    })()
    expect(refusal).toMatchObject({ code: 'invalid_parameter', fields: { parameter: 'X-Registry-Auth' } })
    expect(String(refusal)).not.toContain('secret')
    expect(String(refusal)).not.toContain('sec:ret')
  })
})

it('X-Registry-Config is a map from registry to such an object', () => {
  const header = base64url({
    'https://index.docker.io/v1/': { username: 'hub', password: 'p' },
    'GHCR.io': { identitytoken: 'i' },
  })
  expect(Object.fromEntries(parseRegistryConfig(header))).toEqual({
    'docker.io': { username: 'hub', password: 'p' },
    'ghcr.io': { identitytoken: 'i' },
  })
  expect(() => parseRegistryConfig(base64url({ 'ghcr.io': { password: 'secret' } }))).toThrow(
    expect.objectContaining({ code: 'invalid_parameter', message: expect.stringContaining('ghcr.io') }),
  )
})

describe('a Docker config.json', () => {
  it('may have auths in base64, as username and password, or as tokens', () => {
    const text = JSON.stringify({
      auths: {
        'https://index.docker.io/v1/': { auth: Buffer.from('hub:pass:word').toString('base64') },
        'localhost:5000': { username: 'u', password: 'p' },
        'https://quay.io/v2/': { auth: Buffer.from('u:').toString('base64'), identitytoken: 'i' },
      },
      HttpHeaders: { 'User-Agent': 'Docker-Client' },
      credHelpers: {},
      credsStore: '',
    })
    expect(Object.fromEntries(parseDockerConfig(text))).toEqual({
      'docker.io': { username: 'hub', password: 'pass:word' },
      'localhost:5000': { username: 'u', password: 'p' },
      'quay.io': { identitytoken: 'i' },
    })
    expect(parseDockerConfig('{}').size).toBe(0)
  })

  it.each([
    ['{"credsStore":"desktop"}', 'credsStore'],
    ['{"credHelpers":{"gcr.io":"gcloud"}}', 'credHelpers'],
    ['{"auths":{"h":{}}}', '"h"'],
    ['{"auths":{"h":{"auth":"!"}}}', '"h"'],
    ['{"auths":{"h":{"auth":"c2VjcmV0"}}}', 'username:password'],
    ['{"auths":[]}', 'auths'],
    ['secret', 'not JSON'],
  ])('is refused with the reason: %s', (text, reason) => {
    expect(() => parseDockerConfig(text)).toThrow(reason)
    expect(() => parseDockerConfig(text)).not.toThrow(/secret(?!.*not JSON)/)
  })
})

it.each([
  ['https://index.docker.io/v1/', 'docker.io'],
  ['registry-1.docker.io', 'docker.io'],
  ['docker.io', 'docker.io'],
  ['http://Localhost:5000/v2/', 'localhost:5000'],
  ['ghcr.io', 'ghcr.io'],
])('%s means the registry %s', (address, registry) => {
  expect(registryOf(address)).toBe(registry)
})

it('the hash distinguishes credentials without revealing them', () => {
  const hashes = [
    { username: 'a', password: 'bc' },
    { username: 'ab', password: 'c' },
    { identitytoken: 'a' },
    { registrytoken: 'a' },
  ].map(credentialHash)
  expect(new Set(hashes).size).toBe(4)
  expect(credentialHash({ password: 'bc', username: 'a' })).toBe(hashes[0])
  for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/)
})
