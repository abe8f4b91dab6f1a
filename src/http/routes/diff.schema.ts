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
      from: bytes('Of the first image', example[0]),
      to: bytes('Of the second image', example[1]),
      delta: deltaBytes('The second less the first', example[1] - example[0]),
    })
    .openapi(name, { description })

const bytesFigure = figure('BytesFigure', 'A size of both images.', [239802880, 152514560])

const countFigure = z
  .strictObject({
    from: count('Of the first image', 8),
    to: count('Of the second image', 6),
    delta: z.int().openapi({ description: 'The second less the first.', example: -2 }),
  })
  .openapi('CountFigure', { description: 'A number of both images.' })

const place = z.strictObject({
  index: layerIndex('The layer', 0),
  digest: digest(
    'Digest of the blob',
    'sha256:93752960f6e101e6f0b32b803820b1d9c8fa1b56ea554930f1778a53d127c579',
  ),
})

const diffId = digest(
  'Digest of the uncompressed tar',
  'sha256:e5079b2b165d031ded169bcb0e77deec548dfc4148649507aafcbad94cc9a183',
)

const unsharedLayerSchema = z
  .strictObject({
    diffId,
    ...place.shape,
    compressedBytes: bytes('Size of the blob', 45762203),
    uncompressedBytes: bytes('Size of the tar', 141329408),
    wastedBytes: bytes('Of its files what the merged file system does not show', 94217038),
    createdBy: text('The step of the history that made it', 'RUN apt-get install curl').optional(),
  })
  .openapi('UnsharedLayer', { description: 'A layer that only one of the images has.' })

const sharedLayerSchema = z
  .strictObject({
    diffId,
    from: place.openapi({ description: 'Where the first image has it.' }),
    to: place.openapi({ description: 'Where the second image has it.' }),
  })
  .openapi('SharedLayer', { description: 'A layer that both have, perhaps packed otherwise.' })

export const changeKindSchema = z
  .enum(['added', 'removed', 'modified'])
  .openapi({ description: 'What happened to the path.', example: 'modified' })

export const fileChangeSchema = z
  .strictObject({
    path: path('Where it stands', 'srv/app/package.json'),
    pathBase64,
    change: changeKindSchema,
    fields: z
      .array(z.enum(['content', 'type', 'mode', 'uid', 'gid', 'link', 'xattrs', 'device']))
      .optional()
      .openapi({ description: 'Of a modified path: what differs.', example: ['content', 'mode'] }),
    fromBytes: bytes('Size of a regular file in the first image; 0 for all else', 412),
    toBytes: bytes('Size of a regular file in the second image; 0 for all else', 431),
    delta: deltaBytes('The second less the first', 19),
  })
  .openapi('FileChange', { description: 'A path that differs; one whose time alone differs is none.' })

export const fileChangePageSchema = pageOf(
  'FileChangePage',
  fileChangeSchema,
  'In path order, or the largest absolute delta first.',
)

const directoryChangeSchema = z
  .strictObject({
    path: path('The directory; empty for the root', 'var/lib/apt/lists'),
    pathBase64,
    delta: deltaBytes('What the regular files below it grew by', -94217038),
    added: count('Paths at or below it that were added', 0),
    removed: count('Paths at or below it that were removed', 12),
    modified: count('Paths at or below it that were modified', 1),
  })
  .openapi('DirectoryChange', { description: 'Where the growth is.' })

const packageChangeSchema = z
  .strictObject({
    type: packageTypeSchema,
    name: text('Its name', 'curl'),
    architecture: text('The architecture that it was built for', 'amd64').optional(),
    path: path(
      'The file that declares it, for npm and pypi',
      'srv/app/node_modules/qs/package.json',
    ).optional(),
    from: text('Its version in the first image; absent where it was added', '8.14.1-2').optional(),
    to: text('Its version in the second image; absent where it was removed', '8.14.1-3').optional(),
    deltaBytes: deltaBytes(
      'What its own files take more, where both images say how many they are',
      4096,
    ).optional(),
  })
  .openapi('PackageChange', { description: 'A package that differs.' })

const configValueSchema = z
  .union([z.string(), z.array(z.string()), z.looseObject({})])
  .openapi({ description: 'The value; absent where that image has none.', example: 'production' })

const configChangeSchema = z
  .strictObject({
    field: text("`env.NAME`, `labels.KEY`, or a field's own name", 'env.NODE_ENV'),
    from: configValueSchema.optional(),
    to: configValueSchema.optional(),
  })
  .openapi('ConfigChange', { description: 'A field of the configs that differs.' })

const stepChangeSchema = z
  .strictObject({
    created: time('When it ran', '2026-11-24T07:50:17.097068051Z').optional(),
    createdBy: text('The step', 'RUN apt-get update').optional(),
    comment: text("The step's comment", 'buildkit.dockerfile.v0').optional(),
    emptyLayer: z.boolean().openapi({ description: 'Whether the step made no layer.', example: false }),
    layer: layerIndex('The layer that the step made', 1).optional(),
    uncompressedBytes: bytes("Size of that layer's tar", 141329408).optional(),
  })
  .openapi('StepChange', { description: 'A step of the history that only one of the images has.' })

export const diffSchema = z
  .strictObject({
    from: identitySchema,
    to: identitySchema,
    size: z
      .strictObject({
        compressedBytes: bytesFigure,
        uncompressedBytes: bytesFigure,
        fileBytes: bytesFigure,
        rootfsBytes: bytesFigure,
        apparentBytes: bytesFigure,
      })
      .openapi({ description: 'The sizes of a report, of both images.' }),
    waste: bytesFigure.openapi({ description: 'What a squash of each would save.' }),
    counts: z
      .strictObject({ layers: countFigure, files: countFigure })
      .openapi({ description: 'Layers and regular files of both images.' }),
    identical: z.boolean().openapi({
      description: 'Whether both file systems and both configs are the same, times included.',
      example: false,
    }),
    layers: z
      .strictObject({
        shared: z.array(sharedLayerSchema).openapi({ description: 'Told by diffId.' }),
        removed: z.array(unsharedLayerSchema).openapi({ description: 'Only in the first image.' }),
        added: z.array(unsharedLayerSchema).openapi({ description: 'Only in the second image.' }),
      })
      .openapi({ description: 'The layers that both have, and those that only one has.' }),
    files: z
      .strictObject({
        counts: z
          .strictObject({
            added: count('Paths only in the second image', 5),
            removed: count('Paths only in the first image', 23),
            modified: count('Paths that differ in more than their time', 14),
            contentModified: count('Those of them with other content', 9),
            typeChanged: count('Those of them of another type', 0),
            mtimeOnly: count('Paths that differ in their time alone', 3),
          })
          .openapi({ description: 'How many paths differ.' }),
        bytes: z
          .strictObject({
            added: bytes('Regular files that were added', 37),
            removed: bytes('Regular files that were removed', 300),
            modifiedDelta: deltaBytes('What the modified ones grew by', 19),
          })
          .openapi({ description: 'What that comes to, a hard link counted at each path.' }),
        directories: z.array(directoryChangeSchema).max(50).openapi({
          description: 'The 50 that grew or shrank most, the largest absolute delta first.',
        }),
        largest: z.array(fileChangeSchema).max(50).openapi({
          description: 'The 50 files that grew or shrank most, the largest absolute delta first.',
        }),
      })
      .openapi({ description: 'The merged file systems.' }),
    packages: z
      .strictObject({
        added: z.array(packageChangeSchema).openapi({ description: 'Only in the second image.' }),
        removed: z.array(packageChangeSchema).openapi({ description: 'Only in the first image.' }),
        changed: z.array(packageChangeSchema).openapi({ description: 'In another version.' }),
      })
      .openapi({ description: 'What package managers say is installed.' }),
    config: z.array(configChangeSchema).openapi({ description: 'The fields of the configs that differ.' }),
    history: z
      .strictObject({
        added: z.array(stepChangeSchema).openapi({ description: 'Only in the second image.' }),
        removed: z.array(stepChangeSchema).openapi({ description: 'Only in the first image.' }),
      })
      .openapi({ description: 'The steps of the builds.' }),
  })
  .openapi('Diff', { description: 'What changed between two images.' })

const versionSchema = z
  .strictObject({
    sha256: sha256('Its content', '5d2ff9c0c5d9d5a53cfb2e1a77e2a3ac6fbb9bca7b3b7b4e8a7a5b3e5f1d0c9a'),
    bytes: bytes('Its size', 5),
  })
  .openapi('FileVersion', { description: 'A file as one image has it.' })

export const textDiffSchema = z
  .strictObject({
    path: path('Where it stands', 'etc/debian_version'),
    pathBase64,
    from: versionSchema.optional(),
    to: versionSchema.optional(),
    identical: z.boolean().openapi({ description: 'Whether the contents are the same.', example: false }),
    binary: z
      .boolean()
      .openapi({ description: 'Whether it is no text: there are no hunks.', example: false }),
    coarse: z.boolean().openapi({
      description: 'Whether the texts differ by too much to look for the smallest difference.',
      example: false,
    }),
    hunks: z
      .array(
        z.strictObject({
          fromStart: count('First line in the first image, from 1', 1),
          fromLines: count('Lines of the first image', 1),
          toStart: count('First line in the second image, from 1', 1),
          toLines: count('Lines of the second image', 1),
          lines: z.array(z.string()).openapi({
            description: 'Each after its mark: ` ` in both, `-` only in the first, `+` only in the second.',
            example: ['-13.5', '+13.6'],
          }),
        }),
      )
      .openapi({ description: 'Where the texts differ.' }),
  })
  .openapi('TextDiff', { description: 'What changed in one text file.' })
