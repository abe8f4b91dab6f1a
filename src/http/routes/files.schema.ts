/** `/v1/files` and `/v1/tree`. */
import { z } from '@hono/zod-openapi'
import { int, pageOf, pathBase64, sha256Schema, text, time } from '../openapi/fields.ts'

export const entryTypeSchema = z
  .enum(['file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo', 'other'])
  .openapi('EntryType')

export const fileSchema = z
  .strictObject({
    path: text(),
    pathBase64,
    type: entryTypeSchema,
    bytes: int('0 if not a regular file'),
    mode: z
      .string()
      .regex(/^[0-7]{4}$/)
      .openapi({
        description: 'Four octal digits, with setuid, setgid and sticky bits.',
      }),
    uid: int(),
    gid: int(),
    mtime: time('To the microsecond'),
    sha256: sha256Schema.optional(),
    link: text('Target of a link, as in the tar').optional(),
    linkBase64: z.base64().optional().openapi({
      description: 'As `pathBase64`.',
    }),
    xattrs: z.record(z.string(), z.base64()).optional().openapi({
      description: 'Values in base64.',
    }),
    device: z
      .string()
      .regex(/^\d+:\d+$/)
      .optional()
      .openapi({ description: '`major:minor`.' }),
    layer: int(),
    inode: int('Shared by the hard links of one file, within this image only').optional(),
    implicit: z.literal(true).optional().openapi({
      description: 'A directory that layers name only as part of other paths.',
    }),
    whiteout: z.enum(['file', 'opaque', 'aufs']).optional().openapi({
      description:
        "What it hides of lower layers: one path (`file`), the directory's content (`opaque`), or nothing (`aufs`).",
    }),
  })
  .openapi('File', { description: 'A path of the merged file system, or a member of a layer.' })

export const filePageSchema = pageOf('FilePage', fileSchema)

/** A directory's children are trees themselves. */
export type Tree = {
  readonly path: string
  readonly pathBase64?: string | undefined
  readonly type: z.infer<typeof entryTypeSchema>
  readonly bytes: number
  readonly files: number
  readonly children?: readonly Tree[] | undefined
}

export const treeSchema: z.ZodType<Tree> = z
  .strictObject({
    path: text('Empty for the root'),
    pathBase64,
    type: entryTypeSchema,
    bytes: int('For a directory: all paths below it'),
    files: int('At or below it'),
    children: z
      .array(z.lazy((): z.ZodType<Tree> => treeSchema))
      .optional()
      .openapi({
        description: 'Largest first, within `limit` and `depth`.',
        type: 'array',
        items: { $ref: '#/components/schemas/Tree' },
      }),
  })
  .openapi('Tree', { description: 'A directory, as `du --apparent-size -l` shows it.' })
