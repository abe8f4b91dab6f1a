/** The samples in the documents match what the code produces. */
import { expect, test } from 'vitest'
import { DOCUMENTS, makeSamples, readDocument, samplesIn } from './samples.ts'

/** Tables are padded in the documents. */
function unpadded(markdown: string): string {
  return markdown
    .split('\n')
    .map((line) => (/^(> )?\|/.test(line) ? line.replace(/ {2,}/g, ' ').replace(/-{3,}/g, '---') : line))
    .join('\n')
}

test('every sample is in a document as the code produces it; `node test/repository/samples.ts` writes them', async () => {
  const made = await makeSamples()
  const found = (await Promise.all(DOCUMENTS.map(readDocument))).flatMap(samplesIn)
  const shown = Object.fromEntries(found.map(([name, sample]) => [name, unpadded(sample)]))
  expect(shown).toEqual(
    Object.fromEntries(Object.entries(made).map(([name, text]) => [name, unpadded(text)])),
  )
})
