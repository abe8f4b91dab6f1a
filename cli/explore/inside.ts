/** What a file is made of, as lines: the entries of an archive, the sections and areas of a program. */
import { z } from 'zod'
import { terminalText } from '../../src/formats/escape.ts'
import type { ByteString } from '../../src/text/bytes.ts'
import { formatBytes } from '../../src/text/format.ts'
import { layerParameter, pathParameter, type Questions } from './questions.ts'

const insideSchema = z.object({
  kind: z.string(),
  compression: z.string().optional(),
  areas: z.array(z.object({ area: z.string(), bytes: z.number() })).optional(),
  elf: z
    .object({
      machine: z.string(),
      type: z.string(),
      interpreter: z.string().optional(),
      needed: z.array(z.string()),
      buildId: z.string().optional(),
      stripped: z.boolean(),
    })
    .optional(),
  modules: z
    .array(z.object({ name: z.string(), version: z.string().optional(), bytes: z.number() }))
    .optional(),
  items: z.array(
    z.object({
      path: z.string().optional(),
      name: z.string().optional(),
      type: z.string(),
      bytes: z.number(),
      storedBytes: z.number().optional(),
      link: z.string().optional(),
    }),
  ),
  nextCursor: z.string().optional(),
})
type InsidePage = z.output<typeof insideSchema>

/** Entries that are shown of an archive. */
const MOST_ITEMS = 20_000
const SIZE = 8

/** @throws Failure if the file has no inside that Lamina knows */
export async function insideLines(
  questions: Questions,
  path: ByteString,
  layer: number | undefined,
): Promise<readonly string[]> {
  const lines: string[] = []
  let cursor: string | undefined
  for (let count = 0; count < MOST_ITEMS; ) {
    const given = {
      ...pathParameter(path),
      ...layerParameter(layer),
      limit: '1000',
      ...(cursor === undefined ? {} : { cursor }),
    }
    const page = insideSchema.parse(await questions.inside(given))
    if (cursor === undefined) lines.push(...headLines(page))
    lines.push(...page.items.map(itemLine))
    count += page.items.length
    cursor = page.nextCursor
    if (cursor === undefined) return lines
  }
  lines.push('…')
  return lines
}

function headLines({ kind, compression, areas = [], elf, modules = [], items }: InsidePage): string[] {
  const lines = [compression === undefined ? kind : `${kind}, ${compression}`]
  if (elf !== undefined) {
    lines[0] = `${kind}: ${elf.type}, ${terminalText(elf.machine)}${elf.stripped ? ', stripped' : ''}`
    for (const library of elf.needed) lines.push(`needs ${terminalText(library)}`)
  }
  if (areas.length > 0) lines.push('', ...areas.map(({ area, bytes }) => `${sized(bytes)}  ${area}`))
  if (modules.length > 0)
    lines.push(
      '',
      ...modules.map(
        ({ name, version = '', bytes }) => `${sized(bytes)}  ${terminalText(`${name} ${version}`)}`,
      ),
    )
  if (items.length > 0) lines.push('')
  return lines
}

function itemLine({ path, name = '', type, bytes, storedBytes, link }: InsidePage['items'][number]): string {
  const stored = storedBytes === undefined ? '' : `  ${sized(storedBytes)}`
  const shown = path === undefined ? `${terminalText(name)}  ${type}` : terminalText(path)
  const folder = type === 'directory' && path !== undefined ? '/' : ''
  return `${sized(bytes)}${stored}  ${shown}${folder}${link === undefined ? '' : ` -> ${terminalText(link)}`}`
}

function sized(bytes: number): string {
  return formatBytes(bytes).padStart(SIZE)
}
