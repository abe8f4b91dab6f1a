/** Which answers are worth compressing, and for whom. */

/**
 * Complete texts: not `application/x-ndjson` and `text/event-stream`, which stream, nor `text/plain`, which files of images
 * have.
 */
export const TEXT =
  /^(?:text\/(?:html|css|javascript|markdown)|application\/(?:[\w.-]+\+)?(?:json|yaml|xml)|image\/svg\+xml)\b/

/** @param accepted the request's `Accept-Encoding` */
export function takesGzip(accepted = ''): boolean {
  return accepted.split(',').some((one) => {
    const [name = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase())
    return name === 'gzip' && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
  })
}
