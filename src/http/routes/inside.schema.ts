/** `/v1/inside` and `/v1/diff/inside`. */
import { z } from '@hono/zod-openapi'
import { ELF_AREAS } from '../../inside/elf-areas.ts'
import { ELF_TYPES } from '../../inside/elf-names.ts'
import { ARCHIVE_WARNINGS, ENTRY_TYPES } from '../../inside/entries.ts'
import { int, pathBase64, text, time } from '../openapi/fields.ts'
import { changeKindSchema } from './diff.schema.ts'

const areaSchema = z.enum(ELF_AREAS).openapi('ElfArea')

const elfSchema = z.strictObject({
  class: z.union([z.literal(32), z.literal(64)]),
  machine: text("The platform's architecture, or the number"),
  type: z.enum(ELF_TYPES),
  interpreter: text().optional(),
  needed: z.array(text()),
  buildId: text().optional(),
  stripped: z.boolean().openapi({ description: 'There is no symbol table.' }),
})

/** An archive's entry has a `path`, an ELF file's section a `name`. */
export const insideItemSchema = z
  .strictObject({
    path: text().optional(),
    pathBase64,
    name: text().optional(),
    type: text(`Of an entry: ${ENTRY_TYPES.join(', ')}; of a section as readelf prints it`),
    bytes: int(),
    storedBytes: int('Compressed, in a zip').optional(),
    mtime: time('To the microsecond').optional(),
    link: text().optional(),
    linkBase64: z.base64().optional(),
    area: areaSchema.optional(),
  })
  .openapi('InsideItem')

export const insideSchema = z
  .strictObject({
    path: text(),
    pathBase64,
    bytes: int(),
    layer: int(),
    kind: z.enum(['zip', 'tar', 'ar', 'elf']),
    compression: z.enum(['gzip', 'zstd']).optional(),
    warnings: z.array(z.strictObject({ code: z.enum(ARCHIVE_WARNINGS), count: int() })).optional(),
    areas: z
      .array(z.strictObject({ area: areaSchema, bytes: int() }))
      .optional()
      .openapi({ description: 'What the bytes of an ELF file are for.' }),
    elf: elfSchema.optional(),
    modules: z
      .array(z.strictObject({ name: text(), version: text().optional(), functions: int(), bytes: int() }))
      .optional()
      .openapi({ description: 'The code of a Go program by module.' }),
    items: z.array(insideItemSchema),
    nextCursor: z.string().optional(),
  })
  .openapi('Inside')

export const partChangeSchema = z
  .strictObject({
    path: text().optional(),
    pathBase64,
    name: text().optional(),
    change: changeKindSchema,
    fromBytes: int(),
    toBytes: int(),
    delta: z.int(),
    fromVersion: text().optional(),
    toVersion: text().optional(),
  })
  .openapi('PartChange')

export const insideDiffSchema = z
  .strictObject({
    kind: z.enum(['zip', 'tar', 'ar', 'elf']),
    items: z.array(partChangeSchema),
    nextCursor: z.string().optional(),
  })
  .openapi('InsideDiff')
