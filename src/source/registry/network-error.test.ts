import { expect, it } from 'vitest'
import { classifyNetworkError, describeNetworkFailure } from './network-error.ts'

const coded = (code: string) => Object.assign(new Error('words that differ'), { code })
const fetchFailed = (cause: unknown) => new TypeError('fetch failed', { cause })

it.each([
  ['reset', fetchFailed(coded('ECONNRESET'))],
  ['reset', new TypeError('terminated', { cause: coded('UND_ERR_SOCKET') })],
  ['reset', new Error('Network connection lost.')],
  ['refused', coded('ECONNREFUSED')],
  ['refused', fetchFailed(new AggregateError([coded('ECONNREFUSED'), coded('ENETUNREACH')]))],
  ['unresolved', fetchFailed(coded('ENOTFOUND'))],
  ['timeout', fetchFailed(coded('UND_ERR_CONNECT_TIMEOUT'))],
  ['noTls', fetchFailed(coded('ERR_SSL_WRONG_VERSION_NUMBER'))],
  ['certificate', fetchFailed(coded('DEPTH_ZERO_SELF_SIGNED_CERT'))],
  ['certificate', fetchFailed(coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'))],
  ['certificate', fetchFailed(coded('CERT_HAS_EXPIRED'))],
  ['otherName', fetchFailed(coded('ERR_TLS_CERT_ALTNAME_INVALID'))],
  ['unknown', new Error('internal error; reference = abc')],
  ['unknown', coded('SOMETHING_NEW')],
  ['unknown', 'not even an error'],
])('%s', (failure, error) => {
  expect(classifyNetworkError(error)).toBe(failure)
})

it("terminates if errors are each other's cause", () => {
  const one = new Error('one')
  one.cause = new Error('two', { cause: one })
  expect(classifyNetworkError(one)).toBe('unknown')
})

const AT = { host: 'r.example:5000', isPlain: false, isPrivate: false, reachesOnlyNames: false }
const UNKNOWN =
  "could not connect to r.example:5000: the TLS connection failed; check the registry's name, port and certificate"

it.each([
  [
    AT,
    '; a private address needs LAMINA_PRIVATE_REGISTRIES=r.example:5000, plain HTTP needs LAMINA_INSECURE_REGISTRIES=r.example:5000, a CA of your own needs NODE_EXTRA_CA_CERTS',
  ],
  [{ ...AT, isPlain: true, isPrivate: true }, '; a CA of your own needs NODE_EXTRA_CA_CERTS'],
  [{ ...AT, reachesOnlyNames: true }, ''],
])('a failure that has no name tells the settings that may be missing: %j', (at, settings) => {
  expect(describeNetworkFailure('unknown', at)).toBe(UNKNOWN + settings)
})
