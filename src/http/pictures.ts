/** Answers that are pictures. */

/** As with badges: for use on any page, and for opening the file itself. */
export function forAnyPage(picture: Response): Response {
  picture.headers.set('Cross-Origin-Resource-Policy', 'cross-origin')
  picture.headers.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'")
  return picture
}
