/** A verdict's failing rules as SARIF 2.1.0 (OASIS, errata 01), as GitHub's code scanning reads it. */
import { RULES } from '../gate/rules.ts'
import type { RuleVerdict, Verdict } from '../gate/verdict.ts'
import { repositoryName } from '../image/identity.ts'
import { fingerprintOf } from './check-fingerprint.ts'
import { showEvidence } from './check-values.ts'
import { visible } from './escape.ts'

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json'

/** @param file path in the repository that results point at */
export function checkSarif(verdict: Verdict, file: string): string {
  const { image, rules } = verdict
  const ids = [...new Set(rules.map(({ rule }) => rule))]
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Lamina',
            rules: ids.map((id) => ({
              id,
              name: id,
              shortDescription: { text: RULES[id].means },
              fullDescription: { text: RULES[id].means },
              defaultConfiguration: { level: 'error' },
            })),
          },
        },
        // Runs of one category replace each other: an image's, whatever its tag.
        automationDetails: { id: `lamina/${repositoryName(image)}/` },
        columnKind: 'utf16CodeUnits',
        properties: { image: image.reference, digest: image.digest, platform: image.platform },
        results: rules
          .filter((rule) => !rule.pass)
          .map((rule) => result(rule, ids.indexOf(rule.rule), verdict, file)),
      },
    ],
  }
  return JSON.stringify(log, undefined, 2)
}

function result(rule: RuleVerdict, ruleIndex: number, { image }: Verdict, file: string) {
  const fingerprint = fingerprintOf(rule, image, file)
  const offenders = (rule.evidence ?? []).map((evidence) => `- ${messageText(showEvidence(evidence))}`)
  return {
    ruleId: rule.rule,
    ruleIndex,
    level: 'error',
    kind: 'fail',
    message: { text: [messageText(rule.message), ...offenders].join('\n') },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file), uriBaseId: '%SRCROOT%' },
          region: { startLine: 1 },
        },
      },
    ],
    partialFingerprints: {
      'laminaRule/v1': fingerprint,
      // The one that GitHub goes by; it would else be made of the line that the result points at.
      primaryLocationLineHash: `${fingerprint.slice(0, 16)}:1`,
    },
    properties: { unit: rule.unit, limit: rule.limit, actual: rule.actual },
  }
}

/** 3.11.6: `[text](target)` is a link, and a backslash before a bracket makes it one no more. */
function messageText(text: string): string {
  return visible(text).replaceAll(/[[\]\\]/g, '\\$&')
}

/** RFC 3986: a relative reference, whose first part must not look like a scheme. */
function uriOf(file: string): string {
  return file.split('/').map(encodeURIComponent).join('/')
}
