/** Answers for a person in a browser where a program would get JSON. */
import { failurePage } from '../pages/failure.ts'
import { PAGE_POLICY } from '../pages/page.ts'
import type { Problem } from '../problem.ts'
import type { RequestContext } from './backend.ts'
import { preferredType } from './negotiation.ts'
import { problemResponse } from './problems.ts'

/** A problem as a page where the caller likes HTML best, else as JSON. */
export async function problemAnswer(context: RequestContext, problem: Problem): Promise<Response> {
  const response = problemResponse(problem)
  const type = preferredType(context.req.header('Accept'), ['application/problem+json', 'text/html'])
  if (type !== 'text/html') return response
  const { image, to = image, from } = context.req.query()
  const page = await failurePage(problem, { image: to, baseline: from })
  const headers = new Headers(response.headers)
  headers.set('Content-Type', 'text/html; charset=utf-8')
  headers.set('Content-Security-Policy', PAGE_POLICY)
  return new Response(page.toString(), { status: problem.status, headers })
}
