/** Problems in the form that the caller reads: JSON for a program, a page for a person, a sentence in text and Markdown. */
import { problemMarkdown } from '../formats/check-markdown.ts'
import { problemText } from '../formats/check-text.ts'
import { failurePage } from '../pages/failure.ts'
import { PAGE_POLICY } from '../pages/page.ts'
import type { Problem } from '../problem.ts'
import type { RequestContext } from './backend.ts'
import { PROBLEM, preferredType, readsProblems } from './negotiation.ts'
import { problemResponse } from './problems.ts'

export async function problemAnswer(context: RequestContext, problem: Problem): Promise<Response> {
  const response = problemResponse(problem)
  const shown = await bodyFor(context, problem)
  if (shown === undefined) return response
  const headers = new Headers(response.headers)
  headers.set('Content-Type', `${shown.type}; charset=utf-8`)
  if (shown.type === 'text/html') headers.set('Content-Security-Policy', PAGE_POLICY)
  return new Response(shown.body, { status: problem.status, headers })
}

type ProblemBody = { readonly type: 'text/html' | 'text/plain' | 'text/markdown'; readonly body: string }

/** @returns undefined for callers that read JSON */
async function bodyFor(context: RequestContext, problem: Problem): Promise<ProblemBody | undefined> {
  const { code, title, message: detail } = problem
  const type = typeOf(context)
  switch (type) {
    case 'text/html': {
      const { image, to = image, from } = context.req.query()
      return {
        type,
        body: (await failurePage(problem, { values: { image: to, baseline: from } })).toString(),
      }
    }
    case 'text/plain': {
      const colour = context.req.query('color') === '1'
      return { type, body: problemText({ code, title, detail }, { colour }) }
    }
    case 'text/markdown':
      return { type, body: problemMarkdown({ code, title, detail }) }
    case PROBLEM:
      return undefined
  }
}

/** `format` wins over `Accept`. Types without a form for problems get JSON. */
function typeOf(context: RequestContext) {
  const accept = context.req.header('Accept')
  if (readsProblems(accept)) return PROBLEM
  switch (context.req.query('format')) {
    case undefined:
    case 'html':
      return preferredType(accept, [PROBLEM, 'text/html', 'text/plain', 'text/markdown'])
    case 'text':
      return 'text/plain'
    case 'markdown':
      return 'text/markdown'
    default:
      return PROBLEM
  }
}
