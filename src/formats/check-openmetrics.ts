/** A verdict's numbers as OpenMetrics 1.0, for GitLab's metrics report and for Prometheus. */
import type { Unit } from '../gate/evidence.ts'
import type { RuleVerdict } from '../gate/verdict.ts'
import { repositoryName } from '../image/identity.ts'
import type { Checked } from '../service/images/check.ts'
import type { ProblemWords } from './check-style.ts'
import { globOf } from './check-values.ts'
import { visible } from './escape.ts'

type Labels = Readonly<Record<string, string>>
type Sample = { readonly labels: Labels; readonly value: number }

const UNITS: readonly Unit[] = ['bytes', 'percent', 'ratio', 'count']

/** Labels contain neither tag nor digest: a figure is compared with that of the previous build. */
export function checkOpenmetrics({ verdict: { pass, image, rules } }: Checked): string {
  const repository = repositoryName(image)
  const labelsOf = (verdict: RuleVerdict): Labels => {
    const glob = globOf(verdict)
    return { repository, rule: verdict.rule, ...(glob === undefined ? {} : { glob }) }
  }
  const lines = [
    ...family('lamina_check_pass', undefined, 'Whether every rule holds, 1 or 0.', [
      { labels: { repository }, value: Number(pass) },
    ]),
    ...family(
      'lamina_rule_pass',
      undefined,
      'Whether the rule holds, 1 or 0.',
      rules.map((rule) => ({ labels: labelsOf(rule), value: Number(rule.pass) })),
    ),
    ...UNITS.flatMap((unit) => {
      const ofUnit = rules.filter((rule) => rule.unit === unit)
      return [
        ...family(
          'lamina_rule_actual',
          unit,
          "The rule's actual value.",
          ofUnit.flatMap((rule) =>
            typeof rule.actual !== 'number' ? [] : [{ labels: labelsOf(rule), value: rule.actual }],
          ),
        ),
        ...family(
          'lamina_rule_limit',
          unit,
          "The rule's limit.",
          ofUnit.flatMap((rule) =>
            typeof rule.limit === 'string' ? [] : [{ labels: labelsOf(rule), value: rule.limit }],
          ),
        ),
      ]
    }),
    '# EOF',
  ]
  return `${lines.join('\n')}\n`
}

/** An info metric, whose value has no meaning. */
export function problemOpenmetrics({ code, detail }: ProblemWords): string {
  const labels = labelText({ code, detail })
  const lines = [
    '# TYPE lamina_problem info',
    '# HELP lamina_problem Why there is no verdict.',
    `lamina_problem_info{${labels}} 1`,
    '# EOF',
  ]
  return `${lines.join('\n')}\n`
}

/** A family's name ends in its unit, if it has one. */
function family(
  stem: string,
  unit: Unit | undefined,
  help: string,
  samples: readonly Sample[],
): readonly string[] {
  if (samples.length === 0) return []
  const suffix = unit === undefined || unit === 'count' ? undefined : unit
  const name = suffix === undefined ? stem : `${stem}_${suffix}`
  return [
    `# TYPE ${name} gauge`,
    ...(suffix === undefined ? [] : [`# UNIT ${name} ${suffix}`]),
    `# HELP ${name} ${help}`,
    ...samples.map(({ labels, value }) => `${name}{${labelText(labels)}} ${value}`),
  ]
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${visible(value).replaceAll(/[\\"]/g, '\\$&')}"`)
    .join(',')
}
