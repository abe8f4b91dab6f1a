/** What one does with the selected file: look at it, at what is inside, at how it changed; write it to the disk. */
import { terminalText } from '../../src/formats/escape.ts'
import { type ByteString, decodeText } from '../../src/text/bytes.ts'
import { formatCount } from '../../src/text/format.ts'
import { Failure } from '../failure.ts'
import { contentText, hasInside, readContent } from './content.ts'
import { extractFile, extractFolder } from './extract.ts'
import { insideLines } from './inside.ts'
import { linesText, type PagerText } from './pager.ts'
import type { Questions } from './questions.ts'

/** A path of an image, as a version that a layer has, or that the layers up to one show. */
export type ImageFile = {
  readonly questions: Questions
  readonly path: ByteString
  readonly isFolder: boolean
  readonly layer?: number | undefined
  readonly upTo?: number | undefined
}

/** What is shown of a path, with its signs escaped. */
export function shownPath(path: ByteString): string {
  return terminalText(decodeText(path).text)
}

type Opened = { readonly response: Response; readonly layer: number | undefined }

/** The content, and the layer whose version it is if that is asked for. */
export async function openFile({ questions, path, layer, upTo }: ImageFile): Promise<Opened> {
  for (let one = upTo ?? 0; one > 0; one--) {
    try {
      return { response: await questions.content(path, one), layer: one }
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'path_not_found') throw error
    }
  }
  const last = upTo === undefined ? layer : 0
  return { response: await questions.content(path, last), layer: last }
}

/** Its text, its inside, or its bytes as hex. */
export async function fileText(file: ImageFile): Promise<PagerText> {
  const { response, layer } = await openFile(file)
  const content = await readContent(response)
  const title = shownPath(file.path)
  if (hasInside(content.bytes)) {
    try {
      return linesText(title, await insideLines(file.questions, file.path, layer))
    } catch (error) {
      // No archive after all, or a broken one: its bytes are still there.
      if (!(error instanceof Failure) || error.code.startsWith('registry_')) throw error
    }
  }
  return contentText(title, content)
}

/** Writes it to a path that does not exist yet. @returns what to say */
export async function extract(file: ImageFile, name: string, signal: AbortSignal): Promise<string> {
  const shown = terminalText(name)
  if (!file.isFolder) {
    const bytes = await extractFile(name, async () => (await openFile(file)).response)
    return `wrote ${shown}: ${formatCount(bytes)} B`
  }
  if (file.upTo !== undefined)
    throw new Failure(
      'usage',
      'a folder is extracted from the whole image or from what a layer did, not up to a layer: press L',
    )
  await extractFolder(name, {
    depth: file.path === '' ? 0 : file.path.split('/').length,
    signal,
    fetch: () => file.questions.tar(file.path, file.layer),
  })
  return `wrote ${shown}/`
}

/** The name that is proposed for it. */
export function proposedName({ path, isFolder }: ImageFile): string {
  const name = decodeText(path.slice(path.lastIndexOf('/') + 1)).text
  if (name === '' && isFolder) return 'rootfs'
  return terminalText(name).replaceAll('/', '_')
}
