/** The tools for agents: the Model Context Protocol over HTTP. Each call asks an endpoint, as its caller. */
import { Problem } from '../../problem.ts'
import type { App, Backend, RequestContext } from '../backend.ts'
import { MCP_PATH } from '../middleware/tokens.ts'
import { openApiDocument } from '../openapi/document.ts'

/** Of the message, not of the question that a tool asks; and the cookie, which means nothing here. */
const OF_THE_MESSAGE =
  /^(?:accept|accept-encoding|connection|content-.*|cookie|expect|if-.*|mcp-.*|origin|range|sec-.*|transfer-encoding|x-form-token)$/i

/** Added last, since the tools take their parameters from the other routes. */
export function addMcp(app: App, backend: Backend): void {
  let document: unknown
  app.post(MCP_PATH, async (c) => {
    requireOwnOrigin(c)
    const text = new TextDecoder().decode(await backend.bodies.bytes(c.req.raw, backend.clientOf(c)))
    // Only who uses them loads them.
    const [{ toolsOf }, { agentServer }, { answerMessage }] = await Promise.all([
      import('../../agents/tools.ts'),
      import('../../agents/server.ts'),
      import('../../agents/answer-http.ts'),
    ])
    document ??= openApiDocument(app)
    const tools = toolsOf(document)
    const headers = new Headers(c.req.raw.headers)
    for (const name of [...headers.keys()]) if (OF_THE_MESSAGE.test(name)) headers.delete(name)
    headers.set('Accept', 'application/json')
    const ask = async (path: string, signal: AbortSignal) => {
      const question = new Request(new URL(path, c.req.url), {
        headers,
        signal: AbortSignal.any([signal, c.req.raw.signal]),
      })
      return app.fetch(question, c.env, executionOf(c))
    }
    const answer = await answerMessage(c.req.raw, text, () => agentServer(tools, ask))
    const response = new Response(answer.body, answer)
    response.headers.set('Cache-Control', 'no-store')
    return response
  })
}

/** Some hosts have none, and say so by an error. */
function executionOf(c: RequestContext) {
  try {
    return c.executionCtx
  } catch {
    return undefined
  }
}

/** A page of another site must not ask in its visitor's name. */
function requireOwnOrigin(c: RequestContext): void {
  const origin = c.req.header('Origin')
  if (origin === undefined) return
  const own = c.req.header('Host') ?? new URL(c.req.url).host
  if (URL.canParse(origin) && new URL(origin).host === own.toLowerCase()) return
  throw new Problem('forbidden_host', 'pages of other sites may not call this: the Origin is not the service')
}
