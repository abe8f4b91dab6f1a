/** The lines of an answer, as they arrive. */

/** Whole lines, as many as arrived together. */
export async function* lineBatches(response: Response): AsyncGenerator<readonly string[]> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    const [first = '', ...more] = decoder.decode(chunk, { stream: true }).split('\n')
    const last = more.pop()
    if (last === undefined) {
      rest += first
      continue
    }
    yield [rest + first, ...more]
    rest = last
  }
  if (rest !== '') yield [rest]
}
