/**
 * Values in an image's config that look like secrets, by their name or by their form, and texts with `***` in their place. What is
 * found holds no value, only a digest that tells two apart.
 */
import { createHash } from 'node:crypto'
import type { HistoryStep, RunConfig } from './run-config.ts'

export type SecretValue = {
  readonly kind: 'environment' | 'history' | 'label'
  /** Absent if only the form of the value tells. */
  readonly name?: string
  /** The first four characters of a token of a known form. */
  readonly prefix?: string
  /** The step that set it, masked. */
  readonly createdBy?: string
  /** Equal for equal values of one name. */
  readonly mark: string
}

const NAMES = new Set([
  'password',
  'passwd',
  'pgpassword',
  'passphrase',
  'pwd',
  'secret',
  'token',
  'apikey',
  'credential',
  'credentials',
])
const PAIRS = new Set(['api key', 'access key', 'private key', 'auth key'])
const NO_SECRET = /^(?:[+-]?[\d.]+|true|false|yes|no|on|off|none|null|(?:\/|\.\.?\/|~|\$).*)?$/is
const URL_LIKE = /^[a-z][a-z0-9+.-]*:\/\//i
/** A password in a URL that is not a variable. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@'"]{0,200}:)([^\s/@'"$][^\s/@'"]{0,1000})@/gi
const TOKEN =
  /(?<![A-Za-z0-9])(?:gh[pos]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|AKIA[A-Z0-9]{16}|xox[bp]-[A-Za-z0-9-]{10,}|sk_live_[A-Za-z0-9]{16,}|npm_[A-Za-z0-9]{36})(?![A-Za-z0-9])/g
/** With all that follows: a pattern that looks for the key's end would not be linear. */
const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*/g
const MASK = '***'
/** How long a prefix is shown of a token. */
const PREFIX = 4
/** A longer step is masked by the forms of values only. */
const MAX_STEP_LENGTH = 65_536
/** Limits on what is told of one config. */
const MAX_FOUND = 1_000
const MAX_SHOWN_STEP = 4_096

function isSecretName(name: string): boolean {
  const parts = name.toLowerCase().split(/[_.-]/)
  return parts.some((part, index) => NAMES.has(part) || PAIRS.has(`${part} ${parts[index + 1] ?? ''}`))
}

function hasPassword(text: string): boolean {
  return text.search(URL_PASSWORD) >= 0
}

/** Whether a value under this name is a secret by the name. */
function isNamed(name: string, value: string): boolean {
  if (!isSecretName(name) || NO_SECRET.test(value)) return false
  return !URL_LIKE.test(value) || hasPassword(value)
}

type Form = { readonly prefix?: string }

/** What the form of a text tells; each token, password and key. */
function formsIn(text: string): readonly (Form & { readonly value: string })[] {
  const tokens = [...text.matchAll(TOKEN)].map(([value]) => ({ value, prefix: value.slice(0, PREFIX) }))
  const passwords = [...text.matchAll(URL_PASSWORD)].map(([, , value = '']) => ({ value }))
  const keys = [...text.matchAll(PRIVATE_KEY)].map(([value]) => ({ value }))
  return [...tokens, ...passwords, ...keys]
}

/** A text without what its form tells to be secret. */
export function maskForms(text: string): string {
  return text
    .replace(PRIVATE_KEY, MASK)
    .replace(TOKEN, (token) => token.slice(0, PREFIX) + MASK)
    .replace(URL_PASSWORD, `$1${MASK}@`)
}

/** The value of a variable or label. */
export function maskValue(name: string, value: string): string {
  return isNamed(name, value) && !URL_LIKE.test(value) ? MASK : maskForms(value)
}

type Assignment = {
  readonly name: string
  readonly value: string
  readonly start: number
  readonly end: number
}

const NAME = String.raw`[A-Za-z_][\w.-]{0,200}`
const INSTRUCTION = /^(?:[^#\n]{0,200}#\(nop\)\s+)?(?:ENV|ARG|LABEL)\s+/
const ARGUMENTS = /^(?:RUN )?\|\d+ /
const NEXT = new RegExp(` "?${NAME}"?=`, 'g')
const IN_COMMAND = new RegExp(String.raw`(?:^|[\s;&|("']|--)(${NAME})=`, 'g')

/** Each `NAME=value` of a step, in its order. */
function assignmentsIn(step: string): readonly Assignment[] {
  const head = INSTRUCTION.exec(step)
  if (head !== null) return pairsIn(step, head[0].length - 1, step.length)
  const build = ARGUMENTS.exec(step)
  const command = build === null ? 0 : endOfArguments(step)
  const given = build === null ? [] : pairsIn(step, build[0].length - 1, command)
  return [...given, ...wordsIn(step, command)]
}

function endOfArguments(step: string): number {
  const end = step.indexOf(' /')
  return end < 0 ? step.length : end
}

/** Each value reaches to the next ` NAME=`. */
function pairsIn(step: string, from: number, to: number): Assignment[] {
  const text = step.slice(from, to)
  const starts = [...text.matchAll(NEXT)]
  return starts.map((start, index) => {
    const at = start.index + start[0].length
    const end = starts[index + 1]?.index ?? text.length
    const name = start[0].slice(1, -1).replaceAll('"', '')
    return { name, value: unquoted(text.slice(at, end)), start: from + at, end: from + end }
  })
}

/** Each value is a word of the shell. */
function wordsIn(step: string, from: number): Assignment[] {
  const found: Assignment[] = []
  IN_COMMAND.lastIndex = from
  for (let match = IN_COMMAND.exec(step); match !== null; match = IN_COMMAND.exec(step)) {
    const start = IN_COMMAND.lastIndex
    const name = match[1] ?? ''
    const end = endOfWord(step, start, openQuote(step, match.index, start - name.length - 1))
    found.push({ name, value: unquoted(step.slice(start, end)), start, end })
    // The character before the next name may end this word.
    IN_COMMAND.lastIndex = Math.max(start, end)
  }
  return found
}

/** The quote right before a name or its `--`. */
function openQuote(step: string, from: number, name: number): string | undefined {
  const before = step
    .slice(Math.max(0, from - 1), name)
    .replace(/-+$/, '')
    .at(-1)
  return before === '"' || before === "'" ? before : undefined
}

function endOfWord(step: string, start: number, open: string | undefined): number {
  let quote: string | undefined
  for (let at = start; at < step.length; at++) {
    const character = step[at] ?? ''
    if (character === '\\') at++
    else if (quote !== undefined) quote = character === quote ? undefined : quote
    else if (character === open) return at
    else if (character === '"' || character === "'") quote = character
    else if (open === undefined && /[\s;&|()<>]/.test(character)) return at
  }
  return step.length
}

function unquoted(value: string): string {
  return value.trim().replace(/["']/g, '')
}

/** A step of the history without its secrets. */
export function maskStep(step: string): string {
  if (step.length > MAX_STEP_LENGTH) return maskForms(step)
  let masked = ''
  let at = 0
  for (const { name, value, start, end } of assignmentsIn(step)) {
    if (!isNamed(name, value) || URL_LIKE.test(value)) continue
    masked += step.slice(at, start) + MASK
    at = end
  }
  return maskForms(masked + step.slice(at))
}

/** All secrets of a config, those of the environment first; the history's only if the config has none of this name and value. */
export function findSecretValues(
  { env, labels }: Pick<RunConfig, 'env' | 'labels'>,
  history: readonly HistoryStep[],
): readonly SecretValue[] {
  const steps = history.flatMap(({ createdBy }) => (createdBy === undefined ? [] : [createdBy]))
  const variables = env.map((pair): [string, string] => {
    const cut = pair.indexOf('=')
    return cut < 0 ? [pair, ''] : [pair.slice(0, cut), pair.slice(cut + 1)]
  })
  const set: SecretValue[] = []
  const known = new Map<string, number>()
  const add = (kind: 'environment' | 'label', [name, value]: readonly [string, string]) => {
    const [form] = formsIn(value)
    if (form === undefined && !isNamed(name, value)) return
    const mark = markOf(unquoted(value))
    known.set(`${name}\0${mark}`, set.length)
    set.push({ kind, name, mark, ...(form?.prefix === undefined ? {} : { prefix: form.prefix }) })
  }
  for (const variable of variables) add('environment', variable)
  for (const label of Object.entries(labels)) add('label', label)
  const inHistory: SecretValue[] = []
  for (const step of steps) {
    if (step.length > MAX_STEP_LENGTH || inHistory.length > MAX_FOUND) continue
    const createdBy = maskStep(step).slice(0, MAX_SHOWN_STEP)
    const rest: string[] = []
    let at = 0
    for (const { name, value, start, end } of assignmentsIn(step)) {
      const mark = markOf(value)
      const own = known.get(`${name}\0${mark}`)
      const [form] = formsIn(value)
      if (own === undefined && !isNamed(name, value)) continue
      rest.push(step.slice(at, start))
      at = end
      const item = own === undefined ? undefined : set[own]
      if (own !== undefined && item !== undefined)
        set[own] = { ...item, createdBy: item.createdBy ?? createdBy }
      else {
        const prefix = form?.prefix === undefined ? {} : { prefix: form.prefix }
        inHistory.push({ kind: 'history', name, mark, createdBy, ...prefix })
      }
    }
    rest.push(step.slice(at))
    for (const { value, prefix } of formsIn(rest.join(' ')))
      inHistory.push({
        kind: 'history',
        mark: markOf(value),
        createdBy,
        ...(prefix === undefined ? {} : { prefix }),
      })
  }
  return [...set, ...inHistory].slice(0, MAX_FOUND)
}

function markOf(value: string): string {
  return createHash('sha256').update(value).digest('base64')
}
