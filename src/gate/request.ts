/** A posted check: an image and its policy. */
import { Problem } from '../problem.ts'
import { policyFromDiveCi } from './dive-ci.ts'
import { type PlainData, readDocument } from './document.ts'
import { type Policy, policyFromKeys } from './policy.ts'

export type CheckRequest = {
  readonly image: string
  readonly platform?: string
  readonly read?: 'full' | 'toc'
  readonly policy: Policy
  /** The text of the image's Dockerfile. */
  readonly dockerfile?: string
}

const KEYS = ['image', 'platform', 'read', 'policy', 'diveCi', 'dockerfile']

/**
 * @param text `{"image", "platform"?, "policy", "dockerfile"?}`, or with `diveCi` in place of `policy`
 * @param mediaType the body's `Content-Type`; anything but JSON is read as YAML
 * @throws Problem `invalid_parameter`, `too_large` past 1 MiB
 */
export function readCheckRequest(text: string, mediaType: string | undefined): CheckRequest {
  const body = readBody(text, mediaType, KEYS)
  const platform = textAt(body, 'platform')
  const image = textAt(body, 'image')
  if (image === undefined) throw refusal('image', 'image is missing')
  return {
    image,
    ...(platform === undefined ? {} : { platform }),
    ...readingAt(body),
    policy: readPolicy(body),
    ...dockerfileOf(body),
  }
}

/**
 * A body that is a mapping.
 *
 * @param mediaType anything but JSON is read as YAML
 * @throws Problem `invalid_parameter` for other keys than `keys`, `too_large` past 1 MiB
 */
export function readBody(
  text: string,
  mediaType: string | undefined,
  keys: readonly string[],
): ReadonlyMap<string, PlainData> {
  const isJson = /^\s*[\w.-]+\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(mediaType ?? '')
  const body = readDocument(text, isJson ? 'json' : 'yaml', 'the body')
  if (!(body instanceof Map)) throw new Problem('invalid_parameter', 'the body is not a mapping')
  for (const key of body.keys()) {
    if (!keys.includes(key)) throw refusal(key, `unknown key ${key}; the keys are ${keys.join(', ')}`)
  }
  return body
}

const MAX_DOCKERFILE_BYTES = 256 * 1024

/** @throws Problem `invalid_parameter` if it is not text, `too_large` past 256 KiB */
export function dockerfileOf(body: ReadonlyMap<string, PlainData>): { readonly dockerfile?: string } {
  const dockerfile = textAt(body, 'dockerfile')
  if (dockerfile === undefined) return {}
  if (Buffer.byteLength(dockerfile) > MAX_DOCKERFILE_BYTES) {
    throw new Problem('too_large', `dockerfile has more than ${MAX_DOCKERFILE_BYTES} bytes`, {
      parameter: 'dockerfile',
    })
  }
  return { dockerfile }
}

function readPolicy(body: ReadonlyMap<string, PlainData>): Policy {
  const policy = body.get('policy')
  const diveCi = textAt(body, 'diveCi')
  if (diveCi !== undefined) {
    if (policy !== undefined) throw refusal('diveCi', 'give either diveCi or policy, not both')
    return policyFromDiveCi(diveCi)
  }
  if (policy === undefined) throw refusal('policy', 'policy is missing')
  if (!(policy instanceof Map)) throw refusal('policy', 'policy is not a mapping')
  return policyFromKeys(new Map([...policy].map(([word, value]) => [word, valuesAt(word, value)])))
}

/** @throws Problem `invalid_parameter` */
export function readingAt(body: ReadonlyMap<string, PlainData>): { readonly read?: 'full' | 'toc' } {
  const read = textAt(body, 'read')
  if (read === undefined) return {}
  if (read !== 'full' && read !== 'toc') throw refusal('read', 'read must be full or toc')
  return { read }
}

/**
 * A value, or a list of values.
 *
 * @throws Problem `invalid_parameter`
 */
export function valuesAt(word: string, node: PlainData): readonly string[] {
  if (typeof node === 'string') return [node]
  if (!Array.isArray(node)) throw refusal(word, `${word} must be a value or a list of values`)
  return node.map((item: PlainData) => {
    if (typeof item !== 'string') throw refusal(word, `${word} contains something that is not a value`)
    return item
  })
}

/** @throws Problem `invalid_parameter` if it is not text, or empty */
export function textAt(body: ReadonlyMap<string, PlainData>, key: string): string | undefined {
  const node = body.get(key)
  if (node === undefined || (typeof node === 'string' && node !== '')) return node
  // A `.dive-ci` file may be empty: then dive's defaults apply.
  if (key === 'diveCi' && node === '') return node
  throw refusal(key, `${key} is not text`)
}

function refusal(parameter: string, detail: string): Problem {
  return new Problem('invalid_parameter', detail, { parameter })
}
