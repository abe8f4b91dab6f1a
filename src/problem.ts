/** Errors that callers see (RFC 9457), created where the fault is known. */

const STATUS = {
  invalid_reference: 400,
  invalid_parameter: 400,
  unauthorized: 401,
  forbidden_registry: 403,
  forbidden_host: 403,
  image_not_found: 404,
  platform_not_found: 404,
  path_not_found: 404,
  analysis_not_found: 404,
  layer_not_found: 404,
  upload_not_found: 404,
  not_attached: 404,
  not_found: 404,
  method_not_allowed: 405,
  upload_incomplete: 409,
  too_large: 413,
  not_an_image: 422,
  layer_unavailable: 422,
  unsupported_digest: 422,
  not_based_on: 422,
  invalid_image: 422,
  invalid_archive: 422,
  unknown_format: 422,
  not_compressed: 422,
  too_few_tags: 422,
  size_unknown: 422,
  rate_limited: 429,
  internal_error: 500,
  not_supported: 501,
  registry_error: 502,
  analysis_pending: 503,
  store_error: 503,
  queue_unavailable: 503,
  registry_timeout: 504,
} as const

const TITLE: Record<ProblemCode, string> = {
  invalid_reference: 'Invalid image reference',
  invalid_parameter: 'Invalid parameter',
  unauthorized: 'Unauthorized',
  forbidden_registry: 'Registry not allowed',
  forbidden_host: 'Host not allowed',
  image_not_found: 'Image not found',
  platform_not_found: 'Platform not found',
  path_not_found: 'Path not found',
  analysis_not_found: 'Analysis not found',
  layer_not_found: 'Layer not found',
  upload_not_found: 'Upload not found',
  not_attached: 'Not attached',
  not_found: 'Not found',
  method_not_allowed: 'Method not allowed',
  upload_incomplete: 'Upload incomplete',
  too_large: 'Too large',
  not_an_image: 'Not a container image',
  layer_unavailable: 'Layer unavailable',
  unsupported_digest: 'Unsupported digest',
  not_based_on: 'Not based on that image',
  invalid_image: 'Invalid image',
  invalid_archive: 'Invalid archive',
  unknown_format: 'Unknown format',
  not_compressed: 'Not compressed',
  too_few_tags: 'Too few tags',
  size_unknown: 'Size unknown',
  rate_limited: 'Rate limited',
  internal_error: 'Internal error',
  not_supported: 'Not supported',
  registry_error: 'Registry error',
  analysis_pending: 'Analysis pending',
  store_error: 'Store unavailable',
  queue_unavailable: 'Queue unavailable',
  registry_timeout: 'Registry timed out',
}

export type ProblemCode = keyof typeof STATUS

/** Every code that is answered with this status. */
export function codesOf(status: number): string[] {
  return Object.entries(STATUS).flatMap(([code, of]) => (of === status ? code : []))
}

/** undefined for a code of somebody else */
export function problemTitle(code: string): string | undefined {
  return Object.entries(TITLE).find(([name]) => name === code)?.[1]
}

export type ProblemFields = {
  /** The requested reference. */
  readonly image?: string
  /** Index of the layer at fault, from 0. */
  readonly layer?: number
  /** Status code from the registry or its token server. */
  readonly registryStatus?: number
  /** Name of the parameter at fault. */
  readonly parameter?: string
  /** Seconds to wait before trying again: the answer's `Retry-After`. */
  readonly retryAfter?: number
  /** The answer's `WWW-Authenticate`. */
  readonly authenticate?: string
  /** For `platform_not_found`: the available platforms. */
  readonly platforms?: readonly string[]
}

/** A problem as plain data, to store with an image, to pass to another thread or object, and to answer. */
export type ProblemDocument = ProblemFields & {
  readonly code: ProblemCode
  readonly detail: string
  /** The fault is in verified bytes: reading them again cannot help. */
  readonly permanent?: boolean
}

export class Problem extends Error {
  readonly code: ProblemCode
  readonly fields: ProblemFields
  /** The fault is in verified bytes: reading them again cannot help. */
  readonly permanent: boolean

  /** @param detail a sentence for the caller: what is wrong and where; never a credential or an internal detail */
  constructor(code: ProblemCode, detail: string, fields: ProblemFields & { permanent?: boolean } = {}) {
    super(detail)
    this.name = 'Problem'
    const { permanent = false, ...rest } = fields
    this.code = code
    this.fields = rest
    this.permanent = permanent
  }

  get status(): number {
    return STATUS[this.code]
  }

  get title(): string {
    return TITLE[this.code]
  }

  /** The same problem with more fields; its own fields win. */
  with(fields: ProblemFields & { permanent?: boolean }): Problem {
    return new Problem(this.code, this.message, { permanent: this.permanent, ...fields, ...this.fields })
  }

  toDocument(): ProblemDocument {
    return {
      code: this.code,
      detail: this.message,
      ...this.fields,
      ...(this.permanent ? { permanent: true } : {}),
    }
  }

  static from(document: ProblemDocument): Problem {
    const { code, detail, ...fields } = document
    return new Problem(code, detail, fields)
  }
}
