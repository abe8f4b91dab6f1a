/** Verdicts for the tests of formats: a plain one, and one in which every name is hostile. */

import type { CheckStyle } from '../../src/formats/check-style.ts'
import type { Verdict } from '../../src/gate/verdict.ts'
import type { ImageIdentity } from '../../src/image/report.ts'

const image: ImageIdentity = {
  reference: 'docker.io/library/nginx:1.27',
  transport: 'docker',
  registry: 'docker.io',
  id: `sha256:${'c'.repeat(64)}`,
  repository: 'library/nginx',
  tag: '1.27',
  digest: `sha256:${'a'.repeat(64)}`,
  platform: 'linux/amd64',
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  os: 'linux',
  architecture: 'amd64',
}

/** Two of four rules fail. */
export const verdict: Verdict = {
  pass: false,
  image,
  baseline: { ...image, reference: 'docker.io/library/nginx:1.26', tag: '1.26' },
  rules: [
    {
      rule: 'maxSize',
      unit: 'bytes',
      limit: 1000,
      actual: 240_000_123,
      pass: false,
      message: 'The uncompressed size is 240 MB, over the limit of 1.00 kB.',
      evidence: [
        { bytes: 180_000_000, layer: 1 },
        { bytes: 60_000_123, layer: 0 },
      ],
    },
    {
      rule: 'maxUserWastedPercent',
      unit: 'percent',
      limit: 12.5,
      actual: null,
      pass: true,
      message: 'No layer but the first has bytes that could be wasted.',
    },
    {
      rule: 'minEfficiency',
      unit: 'ratio',
      limit: 0.9,
      actual: 0.987_654_321,
      pass: true,
      message: 'The efficiency is 0.98765, not below the limit of 0.9.',
    },
    {
      rule: 'deny',
      unit: 'count',
      limit: '**/.git/**',
      actual: 1,
      pass: false,
      message: '1 path matches **/.git/**.',
      evidence: [{ path: 'app/.git/config', bytes: 300, layer: 1 }],
    },
  ],
}

/** The same with another tag, digest and figures: what a rebuild changes. */
export const rebuilt: Verdict = {
  ...verdict,
  image: {
    ...image,
    reference: 'docker.io/library/nginx:1.28',
    tag: '1.28',
    digest: `sha256:${'b'.repeat(64)}`,
  },
  rules: verdict.rules.map((rule) => ({
    ...rule,
    actual: typeof rule.actual === 'number' ? rule.actual + 1 : 1,
    message: `${rule.message} Again.`,
    evidence: [{ path: 'another', layer: 7 }],
  })),
}

export const passing: Verdict = { ...verdict, pass: true, rules: verdict.rules.slice(1, 3) }

/** Names that end a value, a line, a row, a comment or a section, that a CI executes, or that hide their content. */
export const HOSTILE_NAMES = [
  '</failure></testcase><testcase name="x" classname="y">',
  ']]><!-- & -- > &amp; &#0; &lol;',
  '"\' onload="alert(1)"',
  'a\n::warning::x',
  '::error file=x,title=y::z',
  '  ::set-env name=PATH::/tmp',
  'a##[error]x',
  '##vso[task.setvariable variable=x]y',
  "##teamcity[buildStatus status='SUCCESS']",
  '%0A::error::x,%25',
  'a|b|c',
  '`a` ``b``',
  '</details></summary><script>alert(1)</script>',
  '[click](https://evil.example) ![x](https://evil.example/x.png)',
  '@octocat #1 GH-1 https://evil.example',
  'x\n# EOF\nlamina_check_pass 1',
  'x"} 1\nlamina_rule_pass{rule="x',
  'back\\slash\\n\\',
  'tab\tcr\rnul\0bell\x07esc\x1b[31mred\x1b[0m',
  'right\u202eot-left\u2066isolate\u200bzero\ufeffbom',
  'lone\ud800surrogate \ufffe \uffff',
  '\u2028line\u2029paragraph\x85nel',
  'emoji 🦀 ünï',
  '{0} {{x}} $(id)',
]

/** One failing rule per hostile name, with the name as glob, in the message and as evidence. */
export const hostile: Verdict = {
  pass: false,
  image,
  rules: HOSTILE_NAMES.map((name) => ({
    rule: 'deny',
    unit: 'count',
    limit: name,
    actual: 3,
    pass: false,
    message: `3 paths match ${name}.`,
    evidence: [{ path: name, bytes: 12, layer: 0 }, { path: `${name}/below` }, { layer: 1, bytes: 5 }],
  })),
}

/** How a format is requested: findings point at this file. */
export function styleOf(file = 'Dockerfile'): CheckStyle {
  return { file, colour: false, page: 'https://lamina.example/?image=nginx' }
}
