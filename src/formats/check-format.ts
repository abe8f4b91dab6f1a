/** The formats of `/v1/check`. */
import type { Verdict } from '../gate/verdict.ts'
import { Problem } from '../problem.ts'
import { checkGithub } from './check-github.ts'
import { checkGitlab } from './check-gitlab.ts'
import { checkJunit } from './check-junit.ts'
import { checkMarkdown } from './check-markdown.ts'
import { checkOpenmetrics } from './check-openmetrics.ts'
import { checkSarif } from './check-sarif.ts'
import { checkText } from './check-text.ts'

type Format = {
  readonly contentType: string
  /** @param file path in the repository that findings point at */
  readonly render: (verdict: Verdict, file: string) => string
}

/** By the value of `format`; the first is the default. */
export const CHECK_FORMATS = {
  json: { contentType: 'application/json', render: (verdict) => JSON.stringify(verdict) },
  junit: { contentType: 'application/xml', render: checkJunit },
  sarif: { contentType: 'application/sarif+json', render: checkSarif },
  markdown: { contentType: 'text/markdown; charset=utf-8', render: checkMarkdown },
  github: { contentType: 'text/plain; charset=utf-8', render: checkGithub },
  gitlab: { contentType: 'application/json', render: checkGitlab },
  openmetrics: {
    contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    render: checkOpenmetrics,
  },
  text: { contentType: 'text/plain; charset=utf-8', render: checkText },
} as const satisfies Record<string, Format>

export type CheckFormat = keyof typeof CHECK_FORMATS

/** What `Accept` can choose; `github` and `gitlab` share their types with others and go by `format` alone. */
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
 * @throws Problem `invalid_parameter` for what is no relative path within a repository
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
