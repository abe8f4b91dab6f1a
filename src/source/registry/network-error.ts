/** Finds out what failed below HTTP from the errors of undici and of workerd, which have little in common. */

export type NetworkFailure =
  /** The connection was dropped, or failed for a temporary reason. */
  | 'reset'
  | 'timeout'
  | 'refused'
  /** The name does not resolve. */
  | 'unresolved'
  /** The server speaks TLS, but its certificate is not trusted. */
  | 'certificate'
  /** The certificate is for other names. */
  | 'otherName'
  /** The server does not speak TLS. */
  | 'noTls'
  /** workerd says only "internal error" for a wrong certificate, no TLS, a name without address, a refused connection. */
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
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'otherName'],
  ['HOSTNAME_MISMATCH', 'otherName'],
])

/** OpenSSL's X509 verification results, as Node names them. */
const CERTIFICATE = /CERT|SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY|CRL/

/** The error and its causes; the last one knows most. */
function* causesOf(error: unknown): Generator<Error> {
  let current = error
  for (let depth = 0; current instanceof Error && depth < 8; depth++) {
    yield current
    // Node tries each address of a name, and collects the errors.
    current = current instanceof AggregateError ? current.errors[0] : current.cause
  }
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function classifyOne(error: Error): NetworkFailure | undefined {
  const code = codeOf(error)
  if (code !== undefined) return BY_CODE.get(code) ?? (CERTIFICATE.test(code) ? 'certificate' : undefined)
  // workerd's messages for a connection that was dropped or refused; it marks them `retryable`.
  if (error.message.startsWith('Network connection lost')) return 'reset'
  return undefined
}

export function classifyNetworkError(error: unknown): NetworkFailure {
  let known: NetworkFailure | undefined
  for (const cause of causesOf(error)) known = classifyOne(cause) ?? known
  return known ?? 'unknown'
}

export type Destination = {
  /** `host[:port]` */
  readonly host: string
  /** Whether it may be reached over plain HTTP. */
  readonly isPlain: boolean
  /** Whether it may have a private address. */
  readonly isPrivate: boolean
  /** Whether this host never reaches private addresses or plain HTTP: then no setting helps. */
  readonly reachesOnlyNames: boolean
}

/** The failure as the end of a sentence: what went wrong where, and what to do about it. */
export function describeNetworkFailure(failure: NetworkFailure, at: Destination): string {
  const { host: place, isPlain } = at
  const connecting = `could not connect to ${place}:`
  switch (failure) {
    case 'reset':
      return `the connection to ${place} was dropped each time; try again later`
    case 'timeout':
      return `${place} did not answer in time; try again later`
    case 'refused':
      return `${connecting} the connection was refused; check the registry's name and port`
    case 'unresolved':
      return `${connecting} the name does not resolve; check the registry's name`
    case 'certificate':
      return `${connecting} its certificate is not trusted; add its CA to NODE_EXTRA_CA_CERTS`
    case 'otherName':
      return `${connecting} its certificate is for another name; use a name that the certificate lists`
    case 'noTls':
      return isPlain
        ? `${connecting} it does not speak TLS`
        : `${connecting} it does not speak TLS; to allow plain HTTP, add it to LAMINA_INSECURE_REGISTRIES: LAMINA_INSECURE_REGISTRIES=${place}`
    case 'unknown':
      return `${connecting} the TLS connection failed; check the registry's name, port and certificate${settingsFor(at)}`
  }
}

/** Which settings a registry may lack whose failure the runtime does not name. */
function settingsFor({ host: place, isPlain, isPrivate, reachesOnlyNames }: Destination): string {
  if (reachesOnlyNames) return ''
  const needs = [
    ...(isPrivate ? [] : [`a private address needs LAMINA_PRIVATE_REGISTRIES=${place}`]),
    ...(isPlain ? [] : [`plain HTTP needs LAMINA_INSECURE_REGISTRIES=${place}`]),
    'a CA of your own needs NODE_EXTRA_CA_CERTS',
  ]
  return `; ${needs.join(', ')}`
}
