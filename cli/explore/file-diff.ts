/** How a file changed: between two images, or by a layer of one. */
import { createHash } from 'node:crypto'
import type { FileSource } from '../../src/diff/text.ts'
import { terminalText } from '../../src/formats/escape.ts'
import { Problem } from '../../src/problem.ts'
import type { ByteString } from '../../src/text/bytes.ts'
import { Failure } from '../failure.ts'
import { readContent } from './content.ts'
import type { Explorer } from './explorer.ts'
import { type ImageFile, openFile, shownPath } from './files.ts'
import type { Style } from './grid.ts'
import type { ListPane } from './list-pane.ts'
import type { Sign } from './listing.ts'
import { linesText, type PagerText } from './pager.ts'

/** A side is undefined where there is no file. */
export type Sides = { readonly from: ImageFile | undefined; readonly to: ImageFile | undefined }

/** Both versions of what is selected; undefined where nothing is compared. */
export function selectedSides({ walk, list, view, images }: Explorer): Sides | undefined {
  const { image, image2 } = images
  const inImage = (questions: typeof image, path: ByteString) => ({ questions, path, isFolder: false })
  if (list === undefined) {
    const { listing, selected } = walk.pane
    if (walk.mode !== 'did' || listing.isFolder(selected)) return undefined
    return sidesOfLayer(inImage(image, listing.path(selected)), listing.sign(selected), walk.layer)
  }
  const { file, sign } = list.selected ?? {}
  if (view !== 'changes' || file === undefined) return undefined
  if (image2 === undefined) return sidesOfLayer(inImage(image, file.path), sign, walk.layer)
  const moved = movedPath(list)
  const from = sign === '+' ? moved : file.path
  const to = sign === '-' ? moved : file.path
  return {
    from: from === undefined ? undefined : inImage(image, from),
    to: to === undefined ? undefined : inImage(image2, to),
  }
}

function sidesOfLayer(file: ImageFile, sign: Sign | undefined, layer: number): Sides {
  return {
    from: sign === '+' ? undefined : { ...file, upTo: layer - 1 },
    to: sign === '-' ? undefined : { ...file, layer },
  }
}

/** Of an added file the one that was removed with the same name, if that is only one; and the other way around. */
function movedPath({ rows, selected }: ListPane): ByteString | undefined {
  const other = { '+': '-', '-': '+', '~': undefined }[selected?.sign ?? '~']
  if (other === undefined || selected?.file === undefined) return undefined
  const name = nameOf(selected.file.path)
  const found = rows.filter(({ sign, file }) => sign === other && file && nameOf(file.path) === name)
  return found.length === 1 ? found[0]?.file?.path : undefined
}

function nameOf(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1)
}

const STYLES: Readonly<Record<string, Style>> = { '+': '32', '-': '31', '@': '36' }

/** The unified diff. @throws Failure for texts that are too large */
export async function diffText({ from, to }: Sides): Promise<PagerText> {
  const { diffTextFiles, formatTextDiff } = await import('../../src/diff/text.ts')
  const [before, after] = await Promise.all([sourceOf(from), sourceOf(to)])
  const path = shownPath((to ?? from)?.path ?? '')
  const old = shownPath((from ?? to)?.path ?? '')
  try {
    const written = formatTextDiff(await diffTextFiles({ path, from: before, to: after }))
    const text = Buffer.from(written).toString().replace(/\n$/, '')
    const lines = text === '' ? ['The contents are the same.'] : text.split('\n')
    if (old !== path) lines[0] = `--- a/${old}`
    const shown = lines.map((line) => terminalText(line.replaceAll('\t', '    ')))
    return linesText(old === path ? path : `${old} → ${path}`, shown, (line) => STYLES[line[0] ?? ''] ?? '')
  } catch (error) {
    throw error instanceof Problem ? new Failure(error.code, error.message) : error
  }
}

/** As much of it as is shown of a file: more of a text than is compared. */
async function sourceOf(file: ImageFile | undefined): Promise<FileSource | undefined> {
  if (file === undefined) return undefined
  const { response } = await openFile(file)
  const { bytes, isCut } = await readContent(response)
  const digest = createHash('sha256').update(bytes).digest('hex')
  return {
    sha256: isCut ? (response.headers.get('etag') ?? '') : digest,
    bytes: bytes.length,
    open: async () => new Blob([Uint8Array.from(bytes)]).stream(),
  }
}
