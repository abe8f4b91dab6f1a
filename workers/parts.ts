/** The stream in pieces of exactly `partBytes`, the last one possibly shorter: for multipart uploads. */
export async function* inParts(
  body: ReadableStream<Uint8Array>,
  partBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, undefined> {
  let chunks: Uint8Array[] = []
  let gathered = 0
  for await (const chunk of body) {
    let rest = chunk
    while (gathered + rest.byteLength >= partBytes) {
      const piece = rest.subarray(0, partBytes - gathered)
      yield join([...chunks, piece], partBytes)
      rest = rest.subarray(piece.byteLength)
      chunks = []
      gathered = 0
    }
    if (rest.byteLength > 0) chunks.push(rest)
    gathered += rest.byteLength
  }
  if (gathered > 0) yield join(chunks, gathered)
}

function join(chunks: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(bytes)
  let at = 0
  for (const chunk of chunks) {
    joined.set(chunk, at)
    at += chunk.byteLength
  }
  return joined
}
