/** Where a reader goes after signing in: a page of this service, whatever a link says. */

const NOWHERE = 'http://lamina.invalid'
const NOT_AGAIN = new Set(['/login', '/logout'])

/** @returns a path with its query; `/` unless it is one of this service */
export function nextPage(text: string | undefined): string {
  if (text === undefined || !text.startsWith('/')) return '/'
  let url: URL
  try {
    url = new URL(text, NOWHERE)
  } catch {
    return '/'
  }
  // `//host`, `/\host` and `/..//host` are addresses of other hosts to a browser.
  if (url.origin !== NOWHERE || url.pathname.startsWith('//') || NOT_AGAIN.has(url.pathname)) return '/'
  return url.pathname + url.search
}
