/** For logs: whoever has the ID of an upload sees the image. */

/** A reference as its sender wrote it, which may differ from how it is read. */
export function withoutUploadId(reference: string): string {
  return reference.replace(/(\bupload:)[^:@]*/gi, '$1…')
}

/** The path of a request: one that no route has may have an ID, too. */
export function pathWithoutUploadId(path: string): string {
  return path.replace(/(uploads\/+)[^/]+/gi, '$1…').replace(/(upload(?::|%3a))[^/]*/gi, '$1…')
}
