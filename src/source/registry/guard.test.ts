import { describe, expect, it } from 'vitest'
import { testConfiguration } from '../../../test/registry/client.ts'
import { parseConfiguration } from '../../configuration.ts'
import { parseReference, type Repository } from '../../oci/reference.ts'
import { guardNamed, guardRepository, isInsecure, reachOf } from './guard.ts'

const OPEN = testConfiguration({})
const LOOPBACK = testConfiguration({
  LAMINA_PRIVATE_REGISTRIES: '127.0.0.0/8,[::1]:5000,registry.corp:5000',
  LAMINA_INSECURE_REGISTRIES: '127.0.0.0/8',
})

const forbidden = (text: string) =>
  expect.objectContaining({ code: 'forbidden_registry', message: expect.stringContaining(text) })

const repository = (registry: string): Repository => ({ registry, repository: 'a' })

describe('a registry', () => {
  it.each([
    'docker.io',
    'ghcr.io',
    '8.8.8.8:5000',
    '[2606:4700::1111]',
    'registry.corp:5000',
    'xn--bcher-kva.example',
  ])('%s on the public internet is allowed', (registry) => {
    expect(guardRepository(repository(registry), OPEN)).toBe('public')
  })

  it.each([
    '127.0.0.1:5600',
    '127.1',
    '0x7f.0.0.1',
    '0177.0.0.1:80',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1:5000',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
    '[::1]:5000',
    '[::]',
    '[fe80::1]',
    '[fc00::1]',
    '[fec0::1]',
    '[::ffff:7f00:1]',
    '[::7f00:1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::1]',
    '[2002:7f00:1::]',
    '[2001:0:7f00:1::]',
    '[2001:db8::1]',
    'localhost',
    'localhost:5000',
    'a.localhost',
    'localhost.localdomain',
    'LOCALHOST',
  ])('%s is refused, naming the setting that would allow it', (registry) => {
    expect(() => guardRepository(repository(registry), OPEN)).toThrow(forbidden('LAMINA_PRIVATE_REGISTRIES'))
  })

  it.each([
    '127.0.0.1:5600',
    '127.1',
    '[::ffff:7f00:1]',
    'localhost:5000',
    '[::1]:5000',
    'registry.corp:5000',
  ])('%s is allowed by a range, an address or a name that lists it, in any spelling', (registry) => {
    expect(guardRepository(repository(registry), LOOPBACK)).toBe('private')
  })

  it.each(['10.0.0.1', '[::1]:5001', 'registry.corp:5001'])(
    '%s is not allowed by a list without it',
    (registry) => {
      expect(reachOf(registry, LOOPBACK)).toBe('public')
    },
  )

  it('an address in the list without a port covers all ports', () => {
    const rules = testConfiguration({ LAMINA_PRIVATE_REGISTRIES: '10.0.0.5,registry.corp' })
    expect(reachOf('10.0.0.5:1234', rules)).toBe('private')
    expect(reachOf('registry.corp', rules)).toBe('private')
    expect(reachOf('other.corp', rules)).toBe('public')
  })

  it('the port of another protocol is refused', () => {
    expect(() => guardRepository(repository('example.com:25'), OPEN)).toThrow(forbidden('another protocol'))
  })

  it('only the listed registries are insecure', () => {
    expect(isInsecure('127.0.0.1:5600', LOOPBACK)).toBe(true)
    expect(isInsecure('ghcr.io', LOOPBACK)).toBe(false)
  })
})

describe('a deployed Worker', () => {
  const rules = parseConfiguration({}, 'worker')

  it.each(['8.8.8.8/x', '8.8.8.8:5000/x', '[2001:4860:4860::8888]/x', '10.0.0.1/x'])(
    'refuses the address %s as a registry: it reaches hosts only by name',
    (text) => {
      expect(() => guardRepository(parseReference(text), rules)).toThrow(forbidden('use its host name'))
    },
  )

  it('refuses an IP address that a registry names, and accepts names on any port', () => {
    expect(() => guardNamed(new URL('https://8.8.8.8/x'), 'redirect', 'quay.io', rules)).toThrow(
      forbidden('use its host name'),
    )
    expect(guardRepository(parseReference('quay.io:8443/a/b'), rules)).toBe('public')
  })

  it('only a deployed Worker does', () => {
    expect(guardRepository(parseReference('8.8.8.8/x'), parseConfiguration({}, 'miniflare'))).toBe('public')
  })
})

describe('LAMINA_ALLOWED_REGISTRIES', () => {
  const rules = testConfiguration({
    LAMINA_ALLOWED_REGISTRIES: 'docker.io/library,ghcr.io/org,quay.io,h.io:5000',
  })

  it.each(['nginx', 'ghcr.io/org/x', 'ghcr.io/org/x/y', 'quay.io/any/thing', 'h.io:5000/x'])(
    'allows %s',
    (text) => {
      expect(guardRepository(parseReference(text), rules)).toBe('public')
    },
  )

  it.each(['a/b', 'ghcr.io/organisation/x', 'ghcr.io/x', 'quay.io:444/x', 'h.io/x', 'evil.io/quay.io'])(
    'does not allow %s',
    (text) => {
      expect(() => guardRepository(parseReference(text), rules)).toThrow(
        forbidden('LAMINA_ALLOWED_REGISTRIES'),
      )
    },
  )
})

describe('an address that a registry names', () => {
  const named = (url: string, registry: string, rules = OPEN) =>
    guardNamed(new URL(url), 'redirect', registry, rules)

  it('may be any public address over https', () => {
    for (const url of [
      'https://cdn.example/x?signature=y',
      'https://8.8.8.8:8443/',
      'https://example.com./x',
    ])
      expect(() => named(url, 'ghcr.io')).not.toThrow()
  })

  it.each([
    'https://169.254.169.254/latest/meta-data',
    'https://[::ffff:127.0.0.1]/',
    'https://0x7f000001/',
    'https://2130706433/',
    'https://127.0.0.1./',
    'https://127.1/',
    'https://localhost./',
    'https://LocalHost:5000/',
    'https://[64:ff9b::a00:1]/',
    'https://①②⑦.0.0.1/',
  ])('%s is refused to a public registry, whatever is listed', (url) => {
    expect(() => named(url, 'ghcr.io')).toThrow(forbidden('LAMINA_PRIVATE_REGISTRIES'))
    expect(() => named(url, 'ghcr.io', LOOPBACK)).toThrow(forbidden('LAMINA_PRIVATE_REGISTRIES'))
  })

  it('may be private only for a listed registry, and only if listed itself', () => {
    expect(() => named('http://127.0.0.1:9/', '127.0.0.1:5600', LOOPBACK)).toThrow(
      forbidden('another protocol'),
    )
    expect(() => named('http://127.0.0.1:5605/', '127.0.0.1:5600', LOOPBACK)).not.toThrow()
    expect(() => named('https://10.0.0.1/', '127.0.0.1:5600', LOOPBACK)).toThrow(forbidden('10.0.0.1'))
    expect(() => named('https://169.254.169.254/', '127.0.0.1:5600', LOOPBACK)).toThrow(forbidden('169.254'))
  })

  it('is never plain http, except for an insecure registry', () => {
    expect(() => named('http://cdn.example/', 'ghcr.io', LOOPBACK)).toThrow(
      forbidden('LAMINA_INSECURE_REGISTRIES'),
    )
    expect(() => named('http://cdn.example/', '127.0.0.1:5600', LOOPBACK)).not.toThrow()
  })

  it.each([
    ['ftp://cdn.example/', 'neither http nor https'],
    ['file:///etc/passwd', 'neither http nor https'],
    ['https://user@cdn.example/', 'user name'],
    ['https://:secret@cdn.example/', 'user name'],
    ['https://cdn.example:6379/', undefined],
    ['https://cdn.example:22/', 'another protocol'],
  ])('%s', (url, reason) => {
    if (reason === undefined) expect(() => named(url, 'ghcr.io')).not.toThrow()
    else expect(() => named(url, 'ghcr.io')).toThrow(forbidden(reason))
  })

  it('is quoted only up to its host: the rest may be a signature', () => {
    expect(() => named('https://127.0.0.1/path?signature=secret', 'ghcr.io')).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/secret|path/) }),
    )
  })
})
