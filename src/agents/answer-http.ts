/** Answers one message that came over HTTP: in JSON, without sessions, in all revisions of the protocol. */
import {
  createMcpHandler,
  isLegacyRequest,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { parseJson } from '../text/json.ts'

const PARSE_ERROR = -32_700
const INVALID_REQUEST = -32_600

/**
 * @param text its body
 * @param serve is asked for one server
 */
export async function answerMessage(request: Request, text: string, serve: () => Server): Promise<Response> {
  const message = parseJson(text)
  if (message === undefined) return refusal(PARSE_ERROR, 'Parse error: the body is not JSON')
  // The revisions that are offered have none.
  if (Array.isArray(message))
    return refusal(INVALID_REQUEST, 'Invalid Request: send one message, not a batch')
  const { url, method, headers, signal } = request
  const bare = new Request(url, { method, headers, signal })
  if (!(await isLegacyRequest(bare, message)))
    // No stream is opened: nothing here changes.
    return createMcpHandler(serve, { legacy: 'reject', maxSubscriptions: 0 }).fetch(bare, {
      parsedBody: message,
    })
  const server = serve()
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
  const leave = () => void server.close()
  signal.addEventListener('abort', leave)
  try {
    await server.connect(transport)
    return await transport.handleRequest(bare, { parsedBody: message })
  } finally {
    signal.removeEventListener('abort', leave)
    await server.close()
  }
}

function refusal(code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', id: null, error: { code, message } }, { status: 400 })
}
