/** A verdict's failing rules as SARIF 2.1.0 (OASIS, errata 01), as GitHub's code scanning reads it. */
import type { AdviceItem } from '../advice/advise.ts'
import { RULES } from '../gate/rules.ts'
import type { Severity } from '../gate/tables.ts'
import type { RuleVerdict } from '../gate/verdict.ts'
import { repositoryName } from '../image/identity.ts'
import type { Checked } from '../service/images/check.ts'
import { adviceFingerprints, fingerprintOf } from './check-fingerprint.ts'
import { adviceText } from './check-gitlab.ts'
import type { CheckStyle, ProblemWords } from './check-style.ts'
import { showEvidence } from './check-values.ts'
import { visible } from './escape.ts'

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json'

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
}

/** What a result is about: its meaning is stable, so that an alert about it can be followed for years. */
type Descriptor = { readonly id: string; readonly means: string; readonly level: string }

type Result = {
  readonly rule: Descriptor
  readonly text: string
  readonly line: number | undefined
  readonly fingerprint: string
  readonly properties: object
}

export function checkSarif({ verdict, advice }: Checked, { file }: Pick<CheckStyle, 'file'>): string {
  const { image, rules } = verdict
  const items = advice?.items ?? []
  const descriptors = [
    ...rules.map(({ rule }) => ({ id: rule, means: RULES[rule].means, level: 'error' })),
    ...items.map(adviceDescriptor),
  ]
  const fingerprints = adviceFingerprints(items, image, file)
  const results = [
    ...rules.filter((rule) => !rule.pass).map((rule) => ruleResult(rule, fingerprintOf(rule, image, file))),
    ...items.map((item, i) => adviceResult(item, fingerprints[i] ?? '')),
  ]
  const properties = { image: image.reference, digest: image.digest, platform: image.platform }
  // Runs of one category replace each other: an image's runs, whatever its tag.
  const automationDetails = { id: `lamina/${repositoryName(image)}/` }
  return sarifLog({ automationDetails, properties }, descriptors, results, file)
}

/** A run that did not succeed, without results. */
export function problemSarif(
  { code, title, detail }: ProblemWords,
  { file }: Pick<CheckStyle, 'file'>,
): string {
  const notification = {
    descriptor: { id: code },
    level: 'error',
    message: { text: `${messageText(title)}: ${messageText(detail)}` },
  }
  const invocations = [{ executionSuccessful: false, toolExecutionNotifications: [notification] }]
  return sarifLog({ invocations }, [], [], file)
}

function sarifLog(
  run: object,
  descriptors: readonly Descriptor[],
  results: readonly Result[],
  file: string,
): string {
  const byId = new Map(descriptors.map((descriptor) => [descriptor.id, descriptor]))
  const ids = [...byId.keys()]
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Lamina',
            rules: [...byId.values()].map(({ id, means, level }) => ({
              id,
              name: id,
              shortDescription: { text: means },
              fullDescription: { text: means },
              defaultConfiguration: { level },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        ...run,
        results: results.map((result) => sarifResult(result, ids.indexOf(result.rule.id), file)),
      },
    ],
  }
  return JSON.stringify(log, undefined, 2)
}

function ruleResult(rule: RuleVerdict, fingerprint: string): Result {
  const offenders = (rule.evidence ?? []).map((evidence) => `- ${messageText(showEvidence(evidence))}`)
  return {
    rule: { id: rule.rule, means: RULES[rule.rule].means, level: 'error' },
    text: [messageText(rule.message), ...offenders].join('\n'),
    line: rule.line,
    fingerprint,
    properties: { unit: rule.unit, limit: rule.limit, actual: rule.actual },
  }
}

function adviceDescriptor({ rule, severity }: AdviceItem): Descriptor {
  return { id: `advice/${rule}`, means: `Advice: ${rule}.`, level: LEVELS[severity] }
}

function adviceResult(item: AdviceItem, fingerprint: string): Result {
  const paths = item.paths.map((path) => `- ${messageText(showEvidence(path))}`)
  return {
    rule: adviceDescriptor(item),
    text: [messageText(adviceText(item)), ...paths].join('\n'),
    line: item.line,
    fingerprint,
    properties: { bytes: item.bytes, files: item.files, severity: item.severity },
  }
}

function sarifResult(
  { rule, text, line = 1, fingerprint, properties }: Result,
  ruleIndex: number,
  file: string,
) {
  return {
    ruleId: rule.id,
    ruleIndex,
    level: rule.level,
    kind: 'fail',
    message: { text },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file), uriBaseId: '%SRCROOT%' },
          region: { startLine: line },
        },
      },
    ],
    partialFingerprints: {
      'laminaRule/v1': fingerprint,
      // GitHub uses this one; otherwise it would make one from the line that the result points at.
      primaryLocationLineHash: `${fingerprint.slice(0, 16)}:1`,
    },
    properties,
  }
}

/** 3.11.6: `[text](target)` is a link, unless a backslash precedes the bracket. */
function messageText(text: string): string {
  return visible(text).replaceAll(/[[\]\\]/g, '\\$&')
}

/** RFC 3986: a relative reference, whose first part must not look like a scheme. */
function uriOf(file: string): string {
  return file.split('/').map(encodeURIComponent).join('/')
}
