/** The formats of `/v1/check`. */

import { Problem } from '../problem.ts'
import type { Checked } from '../service/images/check.ts'
import { toJson } from '../text/json.ts'
import { checkGithub, problemGithub } from './check-github.ts'
import { checkGitlab, problemGitlab } from './check-gitlab.ts'
import { checkJunit, problemJunit } from './check-junit.ts'
import { checkMarkdown, problemMarkdown } from './check-markdown.ts'
import { checkOpenmetrics, problemOpenmetrics } from './check-openmetrics.ts'
import { checkSarif, problemSarif } from './check-sarif.ts'
import type { CheckStyle, ProblemWords } from './check-style.ts'
import { checkText, problemText } from './check-text.ts'

type Format = {
  readonly contentType: string
  readonly render: (checked: Checked, style: CheckStyle) => string
  /** Absent if problems look the same as everywhere else. */
  readonly problem?: (problem: ProblemWords, style: Pick<CheckStyle, 'file' | 'colour'>) => string
}

/** By the value of `format`; the first is the default. */
const FORMATS = {
  json: { contentType: 'application/json', render: ({ verdict }) => toJson(verdict) },
  junit: { contentType: 'application/xml', render: checkJunit, problem: problemJunit },
  sarif: { contentType: 'application/sarif+json', render: checkSarif, problem: problemSarif },
  markdown: {
    contentType: 'text/markdown; charset=utf-8',
    render: checkMarkdown,
    problem: problemMarkdown,
  },
  github: { contentType: 'text/plain; charset=utf-8', render: checkGithub, problem: problemGithub },
  gitlab: { contentType: 'application/json', render: checkGitlab, problem: problemGitlab },
  openmetrics: {
    contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    render: checkOpenmetrics,
    problem: problemOpenmetrics,
  },
  text: { contentType: 'text/plain; charset=utf-8', render: checkText, problem: problemText },
} as const satisfies Record<string, Format>

export type CheckFormat = keyof typeof FORMATS

export const CHECK_FORMATS: Readonly<Record<CheckFormat, Format>> = FORMATS

export function isCheckFormat(name: string): name is CheckFormat {
  return Object.hasOwn(FORMATS, name)
}

/** What `Accept` can choose; `github` and `gitlab` share their types with others and are available only through `format`. */
export const CHECK_TYPES = {
  'application/json': 'json',
  'application/xml': 'junit',
  'application/sarif+json': 'sarif',
  'text/markdown': 'markdown',
  'application/openmetrics-text': 'openmetrics',
  'text/plain': 'text',
} as const satisfies Record<string, CheckFormat>

export const DEFAULT_FILE = 'Dockerfile'

const MAX_FILE_LENGTH = 1024

/**
 * The file of the repository that findings point at.
 *
 * @throws Problem `invalid_parameter` unless it is a relative path inside the repository
 */
export function parseRepositoryFile(text: string): string {
  const isRelative = text.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  if (!isRelative || text.length > MAX_FILE_LENGTH || /[\p{Cc}\p{Cs}\\]/u.test(text)) {
    throw new Problem('invalid_parameter', 'file must be a relative path inside the repository', {
      parameter: 'file',
    })
  }
  return text
}
