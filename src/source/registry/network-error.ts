/** What went wrong below HTTP, told from the errors of undici and of workerd, which have little in common. */

export type NetworkFailure =
  /** The connection was cut, or never came to be for a passing reason. */
  | 'reset'
  | 'timeout'
  | 'refused'
  /** The name has no address. */
  | 'unresolved'
  /** TLS is spoken, but the certificate is not to be trusted. */
  | 'certificate'
  /** What answers does not speak TLS. */
  | 'noTls'
  /** workerd says no more than "internal error" for a wrong certificate, no TLS, a name without address, a refused one. */
  | 'unknown'

const BY_CODE: ReadonlyMap<string, NetworkFailure> = new Map([
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['UND_ERR_SOCKET', 'reset'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'reset'],
  ['EAI_AGAIN', 'reset'],
  ['ENETUNREACH', 'refused'],
  ['EHOSTUNREACH', 'refused'],
  ['ECONNREFUSED', 'refused'],
  ['ETIMEDOUT', 'timeout'],
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout'],
  ['ENOTFOUND', 'unresolved'],
  ['EPROTO', 'noTls'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'noTls'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'noTls'],
  ['ERR_SSL_HTTP_REQUEST', 'noTls'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate'],
  ['HOSTNAME_MISMATCH', 'certificate'],
])

/** OpenSSL's X509 verification results, as Node names them. */
const CERTIFICATE = /CERT|SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY|CRL/

/** The error and its causes, of which the last knows most. */
function* causesOf(error: unknown): Generator<Error> {
  let current = error
  for (let depth = 0; current instanceof Error && depth < 8; depth++) {
    yield current
    // Node tries each address of a name, and gathers what went wrong.
    current = current instanceof AggregateError ? current.errors[0] : current.cause
  }
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function classifyOne(error: Error): NetworkFailure | undefined {
  const code = codeOf(error)
  if (code !== undefined) return BY_CODE.get(code) ?? (CERTIFICATE.test(code) ? 'certificate' : undefined)
  // workerd's words for a connection that was cut, or refused; it marks them `retryable`.
  if (error.message.startsWith('Network connection lost')) return 'reset'
  return undefined
}

export function classifyNetworkError(error: unknown): NetworkFailure {
  let known: NetworkFailure | undefined
  for (const cause of causesOf(error)) known = classifyOne(cause) ?? known
  return known ?? 'unknown'
}

/** In words, for a sentence such as `ghcr.io cannot be reached: …`. */
export function describeNetworkFailure(failure: NetworkFailure): string {
  switch (failure) {
    case 'reset':
      return 'the connection was cut'
    case 'timeout':
      return 'it did not answer in time'
    case 'refused':
      return 'the connection was refused'
    case 'unresolved':
      return 'the name has no address'
    case 'certificate':
      return 'its certificate is not to be trusted'
    case 'noTls':
      return 'it does not speak TLS'
    case 'unknown':
      return 'no connection came to be'
  }
}
