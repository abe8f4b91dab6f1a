/**
 * A verdict as JUnit's XML, as Jenkins (its `junit-10.xsd`), GitLab and GitHub's reporters read it: one suite, one case per
 * rule.
 */
import type { RuleVerdict } from '../gate/verdict.ts'
import { repositoryName } from '../image/identity.ts'
import type { ImageIdentity } from '../image/report.ts'
import type { Checked } from '../service/images/check.ts'
import type { ProblemWords } from './check-style.ts'
import { headline, ruleTitle, showEvidence } from './check-values.ts'
import { markupLine, markupText } from './escape.ts'

export function checkJunit({ verdict }: Checked): string {
  const { image, rules } = verdict
  const failures = rules.filter((rule) => !rule.pass).length
  const counts = `tests="${rules.length}" failures="${failures}" errors="0"`
  const classname = markupText(classOf(image))
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="lamina" ${counts} time="0">`,
    `  <testsuite name="${markupText(image.reference)}" ${counts} skipped="0" time="0">`,
    '    <properties>',
    ...[
      ['image', image.reference],
      ['digest', image.digest],
      ['platform', image.platform],
    ].map(([name = '', value = '']) => `      <property name="${name}" value="${markupText(value)}"/>`),
    '    </properties>',
    ...rules.flatMap((rule) => testCase(rule, classname)),
    `    <system-out>${markupText(headline(verdict))}</system-out>`,
    '  </testsuite>',
    '</testsuites>',
  ]
  return `${lines.join('\n')}\n`
}

function testCase(rule: RuleVerdict, classname: string): readonly string[] {
  const message = markupText(rule.message)
  const open = `    <testcase classname="${classname}" name="${markupText(ruleTitle(rule))}" time="0">`
  if (rule.pass) return [open, `      <system-out>${message}</system-out>`, '    </testcase>']
  const body = [
    message,
    ...(rule.evidence ?? []).map((evidence) => markupLine(markupText(showEvidence(evidence)))),
  ]
  return [
    open,
    `      <failure message="${message}" type="${rule.rule}">${body.join('\n')}</failure>`,
    '    </testcase>',
  ]
}

/**
 * The same for every tag, so that a case is compared with its predecessor. Jenkins makes packages of the parts between dots:
 * one for each part of the repository.
 */
function classOf(image: ImageIdentity): string {
  const parts = ['lamina', ...repositoryName(image).split('/')]
  return parts.map((part) => part.replaceAll(/[^\w-]/g, '_')).join('.')
}

/** One case, which is an error: neither passed nor failed. */
export function problemJunit({ code, title, detail, image = 'lamina' }: ProblemWords): string {
  const counts = 'tests="1" failures="0" errors="1"'
  const message = markupText(`${title}: ${detail}`)
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="lamina" ${counts} time="0">`,
    `  <testsuite name="${markupText(image)}" ${counts} skipped="0" time="0">`,
    '    <testcase classname="lamina" name="check" time="0">',
    `      <error message="${message}" type="${code}">${message}</error>`,
    '    </testcase>',
    '  </testsuite>',
    '</testsuites>',
  ]
  return `${lines.join('\n')}\n`
}
