/** Checks an image against a policy. */
import { formatBytes } from '../text/format.ts'
import { Figures } from './figures.ts'
import type { Policy } from './policy.ts'
import { RULES, type Rule, type RuleName } from './rules.ts'
import type { Subject } from './subject.ts'
import type { RuleVerdict, Verdict } from './verdict.ts'

/**
 * @throws Problem `not_based_on` if the image shares no layer with the base image that the policy names
 */
export async function evaluate(policy: Policy, subject: Subject): Promise<Verdict> {
  const { ignore } = policy
  const scope = {
    ignore,
    deny: globsOf(policy, 'deny'),
    denyShown: globsOf(policy, 'denyShown'),
  }
  const figures = new Figures(scope, subject)
  const rules: RuleVerdict[] = []
  for (const rule of policy.rules) rules.push(await judge(rule, policy, figures))
  return {
    pass: rules.every((rule) => rule.pass),
    image: subject.image.identity,
    ...(subject.baseline === undefined ? {} : { baseline: subject.baseline.identity }),
    ...(subject.autoBase === undefined ? {} : { base: subject.autoBase }),
    rules,
  }
}

async function judge(rule: Rule, policy: Policy, figures: Figures): Promise<RuleVerdict> {
  const finding = await rule.judge(figures)
  const floor = RULES[rule.name].floor ? policy.minWasteBytes : undefined
  const spared = !finding.pass && floor !== undefined && (await figures.wastedBytes()) < floor
  const pass = finding.pass || spared
  const { limit, actual, unit } = finding
  return {
    rule: rule.name,
    unit,
    limit,
    actual,
    pass,
    message: spared
      ? `${finding.message} It passes anyway: less than ${formatBytes(floor)} is wasted.`
      : finding.message,
    ...(pass ? {} : { evidence: await finding.evidence() }),
  }
}

function globsOf({ rules }: Policy, rule: RuleName): readonly string[] {
  return rules.flatMap(({ name, limit }) => (name === rule && typeof limit === 'string' ? [limit] : []))
}
