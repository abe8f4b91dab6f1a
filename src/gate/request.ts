/** A check that is posted: an image and what it is held against. */
import { Problem } from '../problem.ts'
import { policyFromDiveCi } from './dive-ci.ts'
import { type Node, readDocument } from './document.ts'
import { type Policy, policyFromWords } from './policy.ts'

export type CheckRequest = {
  readonly image: string
  readonly platform?: string
  readonly policy: Policy
}

const KEYS = ['image', 'platform', 'policy', 'diveCi']

/**
 * @param text `{"image", "platform"?, "policy"}` or `{"image", "platform"?, "diveCi"}`
 * @param mediaType the body's `Content-Type`; what is not called JSON is read as YAML
 * @throws Problem `invalid_parameter`, `too_large` past 1 MiB
 */
export function readCheckRequest(text: string, mediaType: string | undefined): CheckRequest {
  const isJson = /^\s*[\w.-]+\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(mediaType ?? '')
  const body = readDocument(text, isJson ? 'json' : 'yaml', 'the body')
  if (!(body instanceof Map)) throw new Problem('invalid_parameter', 'the body is not a mapping')
  for (const key of body.keys()) {
    if (KEYS.includes(key)) continue
    throw refusal(key, `${key} is not known; there are ${KEYS.join(', ')}`)
  }
  const platform = textAt(body, 'platform')
  const image = textAt(body, 'image')
  if (image === undefined) throw refusal('image', 'image is missing')
  return { image, ...(platform === undefined ? {} : { platform }), policy: readPolicy(body) }
}

function readPolicy(body: ReadonlyMap<string, Node>): Policy {
  const policy = body.get('policy')
  const diveCi = textAt(body, 'diveCi')
  if (diveCi !== undefined) {
    if (policy !== undefined) throw refusal('diveCi', 'diveCi cannot stand beside policy')
    return policyFromDiveCi(diveCi)
  }
  if (policy === undefined) throw refusal('policy', 'policy is missing')
  if (!(policy instanceof Map)) throw refusal('policy', 'policy is not a mapping')
  return policyFromWords(new Map([...policy].map(([word, value]) => [word, values(word, value)])))
}

function values(word: string, node: Node): readonly string[] {
  if (typeof node === 'string') return [node]
  if (!Array.isArray(node)) throw refusal(word, `${word} is neither a value nor a list of values`)
  return node.map((item: Node) => {
    if (typeof item !== 'string') throw refusal(word, `${word} holds something that is no value`)
    return item
  })
}

function textAt(body: ReadonlyMap<string, Node>, key: string): string | undefined {
  const node = body.get(key)
  if (node === undefined || (typeof node === 'string' && node !== '')) return node
  // A `.dive-ci` file may be empty: dive's defaults are then what it asks for.
  if (key === 'diveCi' && node === '') return node
  throw refusal(key, `${key} is not text`)
}

function refusal(parameter: string, detail: string): Problem {
  return new Problem('invalid_parameter', detail, { parameter })
}
