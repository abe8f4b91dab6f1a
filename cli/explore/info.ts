/** All about a path: what the image has there, and what each layer has. */
import { terminalText } from '../../src/formats/escape.ts'
import { type ByteString, decodeText } from '../../src/text/bytes.ts'
import { formatBytes, formatCount } from '../../src/text/format.ts'
import { permissions } from '../lines.ts'
import { type FileItem, fileSchema, type Layer, type Owner, pathOf, type Questions } from './questions.ts'

const MOST_GLOB = 256
const MOST_PAGES = 20

/** @param layers of the image, from the lowest */
export async function infoLines(
  questions: Questions,
  path: ByteString,
  layers: readonly Layer[],
): Promise<readonly string[]> {
  const [[shown], owners] = await Promise.all([itemsAt(questions, path), questions.owners(path)])
  const versions: FileItem[] = []
  for (const { index } of layers) versions.push(...(await itemsAt(questions, path, index)))
  const lines = [`/${terminalText(decodeText(path).text)}`, '']
  const item = shown ?? versions.at(-1)
  if (item !== undefined) lines.push(...itemLines(item, layers))
  if (shown !== undefined) lines.push(...ownerLines(owners))
  if (shown === undefined) lines.push('', 'The image does not show it: a later layer removed it.')
  if (versions.length > 0) lines.push('', 'in the layers')
  for (const version of versions) lines.push(versionLine(version))
  return lines
}

function itemLines(item: FileItem, layers: readonly Layer[]): readonly string[] {
  const { type, bytes, mode, uid, gid, mtime, layer, sha256, link } = item
  const step = layers[layer]?.createdBy
  return [
    `type    ${type}`,
    ...(link === undefined ? [] : [`target  ${terminalText(link)}`]),
    `size    ${formatBytes(bytes)}  (${formatCount(bytes)} B)`,
    `mode    ${mode}  ${permissions(mode)}`,
    `owner   ${uid}:${gid}`,
    `time    ${mtime}`,
    ...(sha256 === undefined ? [] : [`digest  sha256:${sha256}`]),
    `layer   ${layer}`,
    ...(step === undefined ? [] : [`step    ${terminalText(step)}`]),
  ]
}

/** Packages of a file that are named. */
const MOST_OWNERS = 5

function ownerLines(owners: readonly Owner[]): readonly string[] {
  const named = owners
    .slice(0, MOST_OWNERS)
    .map(
      ({ type, name, version = '' }) => `package ${terminalText(`${name} ${version}`.trimEnd())} (${type})`,
    )
  const more = owners.length - named.length
  return more > 0 ? [...named, `        and ${formatCount(more)} more`] : named
}

function versionLine({ layer, bytes, mode, whiteout, sha256, type }: FileItem): string {
  const place = `  layer ${layer}`
  if (whiteout !== undefined) return `${place}  removes it`
  return `${place}  ${formatBytes(bytes).padStart(8)}  ${mode}  ${sha256?.slice(0, 12) ?? type}`
}

/** What the image, or a layer of it, has at a path. */
async function itemsAt(questions: Questions, path: ByteString, layer?: number): Promise<readonly FileItem[]> {
  const found: FileItem[] = []
  const cut = path.lastIndexOf('/') + 1
  const whiteout = `${path.slice(0, cut)}.wh.${path.slice(cut)}`
  for (const wanted of layer === undefined ? [path] : [path, whiteout]) {
    let cursor: string | undefined
    for (let page = 0; page < MOST_PAGES; page++) {
      const { items, nextCursor } = await questions.page('/v1/files', {
        glob: globOf(decodeText(wanted).text),
        limit: '1000',
        ...(layer === undefined ? {} : { layer: String(layer) }),
        ...(cursor === undefined ? {} : { cursor }),
      })
      found.push(...items.map((item) => fileSchema.parse(item)).filter((item) => pathOf(item) === wanted))
      cursor = nextCursor
      if (cursor === undefined) break
    }
  }
  return found
}

/** A glob that matches the path; of a very long one its end, with anything before it. */
function globOf(path: string): string {
  const escaped = Array.from(path, (character) =>
    /[\\*?[\]{},]/.test(character) ? `\\${character}` : character,
  )
  if (escaped.join('').length <= MOST_GLOB) return escaped.join('')
  let end = ''
  for (const one of escaped.toReversed()) {
    if (end.length + one.length + 2 > MOST_GLOB) break
    end = one + end
  }
  return `**${end.replace(/^\//, '')}`
}
