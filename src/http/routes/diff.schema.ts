/** `/v1/diff` and what hangs on it: the shapes of `diff/`, described. */
import { z } from '@hono/zod-openapi'
import {
  bytes,
  count,
  deltaBytes,
  digest,
  layerIndex,
  pageOf,
  path,
  pathBase64,
  sha256,
  text,
  time,
} from '../openapi/fields.ts'
import { packageTypeSchema } from './packages.schema.ts'
import { identitySchema } from './report.schema.ts'

const figure = (name: string, description: string, example: readonly [from: number, to: number]) =>
  z
    .strictObject({
      from: bytes('In the first image', example[0]),
      to: bytes('In the second image', example[1]),
      delta: deltaBytes('Second minus first', example[1] - example[0]),
    })
    .openapi(name, { description })

const bytesFigure = figure('BytesFigure', 'A size of both images.', [239802880, 152514560])

const countFigure = z
  .strictObject({
    from: count('In the first image', 8),
    to: count('In the second image', 6),
    delta: z.int().openapi({ description: 'Second minus first.', example: -2 }),
  })
  .openapi('CountFigure', { description: 'A number of both images.' })

const place = z.strictObject({
  index: layerIndex('The layer', 0),
  digest: digest('Digest of the blob'),
})

const diffId = digest('Digest of the uncompressed tar')

const unsharedLayerSchema = z
  .strictObject({
    diffId,
    ...place.shape,
    compressedBytes: bytes('Size of the blob', 45762203),
    uncompressedBytes: bytes('Size of the tar, if it is known', 141329408).optional(),
    wastedBytes: bytes('Bytes in files that the merged file system does not show', 94217038),
    createdBy: text('The build step that made it', 'RUN apt-get install curl').optional(),
  })
  .openapi('UnsharedLayer', { description: 'A layer of only one of the images.' })

const sharedLayerSchema = z
  .strictObject({
    diffId,
    from: place.openapi({ description: 'Its place in the first image.' }),
    to: place.openapi({ description: 'Its place in the second image.' }),
  })
  .openapi('SharedLayer', { description: 'A layer of both images. The compression may differ.' })

export const changeKindSchema = z
  .enum(['added', 'removed', 'modified'])
  .openapi({ description: 'What happened to the path.', example: 'modified' })

export const fileChangeSchema = z
  .strictObject({
    path: path('Its path', 'srv/app/package.json'),
    pathBase64,
    change: changeKindSchema,
    fields: z
      .array(z.enum(['content', 'type', 'mode', 'uid', 'gid', 'link', 'xattrs', 'device']))
      .optional()
      .openapi({ description: 'What differs, for a modified path.', example: ['content', 'mode'] }),
    fromBytes: bytes('Size of the regular file in the first image; otherwise 0', 412),
    toBytes: bytes('Size of the regular file in the second image; otherwise 0', 431),
    delta: deltaBytes('Second minus first', 19),
  })
  .openapi('FileChange', { description: 'A path that differs in more than its mtime.' })

export const fileChangePageSchema = pageOf(
  'FileChangePage',
  fileChangeSchema,
  'By path, or by absolute delta, largest first.',
)

const directoryChangeSchema = z
  .strictObject({
    path: path('The directory; empty for the root', 'var/lib/apt/lists'),
    pathBase64,
    delta: deltaBytes('Growth of the regular files below it', -94217038),
    added: count('Paths at or below it that were added', 0),
    removed: count('Paths at or below it that were removed', 12),
    modified: count('Paths at or below it that were modified', 1),
  })
  .openapi('DirectoryChange', { description: 'A directory that grew or shrank.' })

const packageChangeSchema = z
  .strictObject({
    type: packageTypeSchema,
    name: text('Its name', 'curl'),
    architecture: text('Its architecture', 'amd64').optional(),
    path: path('Its metadata file, for npm and pypi', 'srv/app/node_modules/qs/package.json').optional(),
    from: text('Version in the first image; absent if added', '8.14.1-2').optional(),
    to: text('Version in the second image; absent if removed', '8.14.1-3').optional(),
    deltaBytes: deltaBytes('Growth of its files, if both images know their size', 4096).optional(),
  })
  .openapi('PackageChange', { description: 'A package that differs.' })

const configValueSchema = z
  .union([z.string(), z.array(z.string()), z.looseObject({})])
  .openapi({ description: 'The value; absent if not set.', example: 'production' })

const configChangeSchema = z
  .strictObject({
    field: text('`env.NAME`, `labels.KEY`, or the name of the field', 'env.NODE_ENV'),
    from: configValueSchema.optional(),
    to: configValueSchema.optional(),
  })
  .openapi('ConfigChange', { description: 'A config field that differs.' })

const stepChangeSchema = z
  .strictObject({
    created: time('When it ran', '2026-11-24T07:50:17.097068051Z').optional(),
    createdBy: text('The command', 'RUN apt-get update').optional(),
    comment: text("The step's comment", 'buildkit.dockerfile.v0').optional(),
    emptyLayer: z.boolean().openapi({ description: 'True if the step made no layer.', example: false }),
    layer: layerIndex('The layer that the step made', 1).optional(),
    uncompressedBytes: bytes("Size of that layer's tar", 141329408).optional(),
  })
  .openapi('StepChange', { description: 'A build step of only one of the images.' })

export const diffSchema = z
  .strictObject({
    from: identitySchema,
    to: identitySchema,
    size: z
      .strictObject({
        compressedBytes: bytesFigure,
        uncompressedBytes: bytesFigure.optional(),
        fileBytes: bytesFigure,
        rootfsBytes: bytesFigure,
        apparentBytes: bytesFigure,
      })
      .openapi({ description: 'The sizes of both images.' }),
    waste: bytesFigure.openapi({ description: 'What squashing each image would save.' }),
    counts: z
      .strictObject({ layers: countFigure, files: countFigure })
      .openapi({ description: 'Layers and regular files of both images.' }),
    identical: z.boolean().openapi({
      description: 'True if the file systems (mtimes included) and the configs are the same.',
      example: false,
    }),
    layers: z
      .strictObject({
        shared: z.array(sharedLayerSchema).openapi({ description: 'Layers with the same diffId.' }),
        removed: z.array(unsharedLayerSchema).openapi({ description: 'Only in the first image.' }),
        added: z.array(unsharedLayerSchema).openapi({ description: 'Only in the second image.' }),
      })
      .openapi({ description: 'Shared, removed and added layers.' }),
    files: z
      .strictObject({
        counts: z
          .strictObject({
            added: count('Paths only in the second image', 5),
            removed: count('Paths only in the first image', 23),
            modified: count('Paths that differ in more than their mtime', 14),
            contentModified: count('Modified paths with other content', 9),
            typeChanged: count('Modified paths of another type', 0),
            mtimeOnly: count('Paths that differ only in their mtime', 3),
          })
          .openapi({ description: 'Numbers of paths.' }),
        bytes: z
          .strictObject({
            added: bytes('Bytes of added regular files', 37),
            removed: bytes('Bytes of removed regular files', 300),
            modifiedDelta: deltaBytes('Growth of the modified files', 19),
          })
          .openapi({ description: 'In bytes; each path of a hard link counts.' }),
        directories: z.array(directoryChangeSchema).max(50).openapi({
          description: 'The 50 with the largest absolute delta.',
        }),
        largest: z.array(fileChangeSchema).max(50).openapi({
          description: 'The 50 files with the largest absolute delta.',
        }),
      })
      .openapi({ description: 'The merged file systems.' }),
    packages: z
      .strictObject({
        added: z.array(packageChangeSchema).openapi({ description: 'Only in the second image.' }),
        removed: z.array(packageChangeSchema).openapi({ description: 'Only in the first image.' }),
        changed: z.array(packageChangeSchema).openapi({ description: 'With another version.' }),
      })
      .openapi({ description: 'Installed packages.' }),
    config: z.array(configChangeSchema).openapi({ description: 'The config fields that differ.' }),
    history: z
      .strictObject({
        added: z.array(stepChangeSchema).openapi({ description: 'Only in the second image.' }),
        removed: z.array(stepChangeSchema).openapi({ description: 'Only in the first image.' }),
      })
      .openapi({ description: 'Build steps.' }),
  })
  .openapi('Diff', { description: 'What changed between two images.' })

const versionSchema = z
  .strictObject({
    sha256: sha256('SHA-256 of its content'),
    bytes: bytes('Its size', 5),
  })
  .openapi('FileVersion', { description: 'The file in one of the images.' })

export const textDiffSchema = z
  .strictObject({
    path: path('Its path', 'etc/debian_version'),
    pathBase64,
    from: versionSchema.optional(),
    to: versionSchema.optional(),
    identical: z.boolean().openapi({ description: 'True if the contents are the same.', example: false }),
    binary: z
      .boolean()
      .openapi({ description: 'True if the file is not text; it then has no hunks.', example: false }),
    coarse: z.boolean().openapi({
      description:
        'True if the texts differ in too many places to find the smallest diff: one hunk then replaces everything from the first difference to the last.',
      example: false,
    }),
    hunks: z
      .array(
        z.strictObject({
          fromStart: count('First line in the first image; lines count from 1', 1),
          fromLines: count('Lines of the first image', 1),
          toStart: count('First line in the second image', 1),
          toLines: count('Lines of the second image', 1),
          lines: z.array(z.string()).openapi({
            description: 'Lines with their mark: ` ` in both, `-` only in the first, `+` only in the second.',
            example: ['-13.5', '+13.6'],
          }),
        }),
      )
      .openapi({ description: 'The differences.' }),
  })
  .openapi('TextDiff', { description: 'What changed in one text file.' })
