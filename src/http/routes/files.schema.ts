/** `/v1/files` and `/v1/tree`. */
import { z } from '@hono/zod-openapi'
import { bytes, count, layerIndex, pageOf, path, pathBase64, sha256, text, time } from '../openapi/fields.ts'

export const entryTypeSchema = z
  .enum(['file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo', 'other'])
  .openapi({ description: 'What stands at the path.', example: 'file' })

export const fileSchema = z
  .strictObject({
    path: path('Where it stands', 'usr/bin/curl'),
    pathBase64,
    type: entryTypeSchema,
    bytes: bytes('Size of a regular file; 0 for all else', 321880),
    mode: z
      .string()
      .regex(/^[0-7]{4}$/)
      .openapi({
        description: 'Permissions with setuid, setgid and sticky, as four octal digits.',
        example: '0755',
      }),
    uid: count("The owner's number", 0),
    gid: count("The group's number", 0),
    mtime: time('When it was changed, to the microsecond', '2026-05-31T12:00:00Z'),
    sha256: sha256(
      "A regular file's content",
      '52e9ceef96bd7c7dd4c2c9d8ac4c5f466c563dc0d16817720518b430da7a94b7',
    ).optional(),
    link: text('Target of a symbolic or hard link, exactly as the tar has it', '../lib/node/curl').optional(),
    linkBase64: z.base64().optional().openapi({
      description: "The target's exact bytes as base64; only where they are not UTF-8.",
      example: 'Y2Fm6Q==',
    }),
    xattrs: z
      .record(z.string(), z.base64())
      .optional()
      .openapi({
        description: 'Extended attributes: name to value as base64.',
        example: { 'security.capability': 'AQAAAgAgAAAAAAAAAAAAAAAAAAA=' },
      }),
    device: z
      .string()
      .regex(/^\d+:\d+$/)
      .optional()
      .openapi({ description: "A device's `major:minor`.", example: '1:3' }),
    layer: layerIndex('The layer whose member this is', 1),
    inode: count(
      'Paths that share one are hard links of each other; a number of this image alone',
      1422,
    ).optional(),
    implicit: z
      .literal(true)
      .optional()
      .openapi({ description: 'A directory that no layer names, only paths below it.', example: true }),
    whiteout: z.enum(['file', 'opaque', 'aufs']).optional().openapi({
      description:
        'In a layer: this member hides a path of lower layers (`file`), all that lower layers have in its directory (`opaque`), or is a left-over of aufs that hides nothing.',
      example: 'file',
    }),
  })
  .openapi('File', { description: 'One path of the merged file system, or one member of a layer.' })

export const filePageSchema = pageOf(
  'FilePage',
  fileSchema,
  'In path order (`/` sorts before every other byte), or the largest first.',
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
    path: path('Where it stands; empty for the root', 'usr/bin'),
    pathBase64,
    type: entryTypeSchema,
    bytes: bytes(
      'Its size; of a directory the sum over all below it, a hard link counted at each path',
      16842752,
    ),
    files: count('Regular files at or below it', 243),
    children: z
      .array(z.lazy((): z.ZodType<Tree> => treeSchema))
      .optional()
      .openapi({
        description:
          'What a directory holds, largest first; as many as `limit` says, as deep as `depth` says.',
        type: 'array',
        items: { $ref: '#/components/schemas/Tree' },
        example: [{ path: 'usr/bin/python3.13', type: 'file', bytes: 6832784, files: 1 }],
      }),
  })
  .openapi('Tree', { description: 'A directory as `du --apparent-size -l` sees it.' })
