/** `/v1/files` and `/v1/tree`. */
import { z } from '@hono/zod-openapi'
import { bytes, count, layerIndex, pageOf, path, pathBase64, sha256, text, time } from '../openapi/fields.ts'

export const entryTypeSchema = z
  .enum(['file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo', 'other'])
  .openapi('EntryType', { description: 'Type of the path.', example: 'file' })

export const fileSchema = z
  .strictObject({
    path: path('Its path', 'usr/bin/curl'),
    pathBase64,
    type: entryTypeSchema,
    bytes: bytes('Size of a regular file; otherwise 0', 321880),
    mode: z
      .string()
      .regex(/^[0-7]{4}$/)
      .openapi({
        description: 'Permissions with setuid, setgid and sticky bits in four octal digits.',
        example: '0755',
      }),
    uid: count('User ID of the owner', 0),
    gid: count('Group ID of the owner', 0),
    mtime: time('Modification time in microseconds', '2026-05-31T12:00:00Z'),
    sha256: sha256('SHA-256 of the content of a regular file').optional(),
    link: text('Target of a symbolic or hard link, as in the tar', '../lib/node/curl').optional(),
    linkBase64: z.base64().optional().openapi({
      description: "The target's exact bytes in base64; present only where they are not UTF-8.",
      example: 'Y2Fm6Q==',
    }),
    xattrs: z
      .record(z.string(), z.base64())
      .optional()
      .openapi({
        description: 'Extended attributes, each value in base64.',
        example: { 'security.capability': 'AQAAAgAgAAAAAAAAAAAAAAAAAAA=' },
      }),
    device: z
      .string()
      .regex(/^\d+:\d+$/)
      .optional()
      .openapi({ description: 'Device number as `major:minor`.', example: '1:3' }),
    layer: layerIndex('Layer of the member', 1),
    inode: count(
      'Hard links of one file share this number; it has no meaning outside the image',
      1422,
    ).optional(),
    implicit: z.literal(true).optional().openapi({
      description: 'True for a directory that layers name only as part of other paths.',
      example: true,
    }),
    whiteout: z.enum(['file', 'opaque', 'aufs']).optional().openapi({
      description:
        'For a whiteout: it hides one path of lower layers (`file`), or all that lower layers have in the directory (`opaque`); an `aufs` leftover hides nothing.',
      example: 'file',
    }),
  })
  .openapi('File', { description: 'A path of the merged file system, or a member of a layer.' })

export const filePageSchema = pageOf(
  'FilePage',
  fileSchema,
  'By path (`/` sorts before every other byte) or by size, largest first.',
)

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
    path: path('Its path; empty for the root', 'usr/bin'),
    pathBase64,
    type: entryTypeSchema,
    bytes: bytes('Its size; for a directory the sum of all paths below it', 16842752),
    files: count('Regular files at or below it', 243),
    children: z
      .array(z.lazy((): z.ZodType<Tree> => treeSchema))
      .optional()
      .openapi({
        description: 'Its children, largest first, within `limit` and `depth`.',
        type: 'array',
        items: { $ref: '#/components/schemas/Tree' },
        example: [{ path: 'usr/bin/python3.13', type: 'file', bytes: 6832784, files: 1 }],
      }),
  })
  .openapi('Tree', { description: 'A directory, as `du --apparent-size -l` shows it.' })
