/** `/v1/report`: the shapes of `image/report.ts`, described. */
import { z } from '@hono/zod-openapi'
import { digest, digestSchema, int, pathBase64, platformNameSchema, text, time } from '../openapi/fields.ts'

const verified = z.enum(['content', 'contents-table']).openapi('Verified', {
  description:
    'Where the facts come from: the content, or with `read=toc` a table of contents; for an image, the weaker of the two.',
})

export const identitySchema = z
  .strictObject({
    reference: text('As requested, with defaults filled in'),
    transport: text('The kind of source: `docker` for a registry'),
    registry: text('`docker.io` for Docker Hub, otherwise `host[:port]`').optional(),
    repository: text('Official images of Docker Hub begin with `library/`').optional(),
    tag: text().optional(),
    digest: digestSchema,
    id: digest('Digest of the config: the image ID of `docker image ls`'),
    indexDigest: digest('Present if the reference names an index').optional(),
    platform: platformNameSchema,
    mediaType: text(),
    created: time().optional(),
    os: text(),
    architecture: text(),
    variant: text().optional(),
    verified: verified.optional(),
  })
  .openapi('Image')

export const storedSchema = z.enum(['compressed', 'uncompressed', 'mixed']).openapi('Stored', {
  description:
    'How the layers are stored. What an archive or an engine stores uncompressed has no size to pull until it is pushed.',
})

export const sizesSchema = z
  .strictObject({
    compressedBytes: int('Its layers, as a pull transfers them'),
    uncompressedBytes: int("The layers' tars; absent if a table of contents does not say").optional(),
    fileBytes: int('Regular files of the layers'),
    rootfsBytes: int('Regular files of the merged file system; hard links count once'),
    apparentBytes: int('The same; every path of a hard link counts'),
    stored: storedSchema,
  })
  .openapi('Sizes')

export const countsSchema = z
  .strictObject({
    layers: int(),
    entries: int('Members of the layers, whiteouts included'),
    paths: int('In the merged file system'),
    files: int('Regular files; every path of a hard link counts'),
    directories: int('Implicit ones included'),
    symlinks: int(),
    other: int('Devices, FIFOs …'),
  })
  .openapi('Counts')

export const compressionSchema = z.enum(['gzip', 'zstd', 'none']).openapi({
  description: 'Detected from the first bytes.',
})

export const layerSchema = z
  .strictObject({
    index: int(),
    digest: digestSchema,
    diffId: digestSchema,
    mediaType: text(),
    compression: compressionSchema,
    verified,
    compressedBytes: int(),
    uncompressedBytes: int('The tar, if known').optional(),
    fileBytes: int(),
    entries: int(),
    wastedBytes: int('Bytes in files that later layers hide'),
    createdBy: text('The build step').optional(),
    created: time().optional(),
    comment: text().optional(),
  })
  .openapi('Layer')

export const wasteSumSchema = z
  .strictObject({
    bytes: int(),
    files: int(),
  })
  .openapi('WasteSum', { description: 'Hidden files.' })

export const wasteReasonSchema = z.enum(['removed', 'replaced', 'metadataOnly']).openapi({
  description:
    'What a later layer did: removed the path, put something else there, or stored the same content with another mode, owner or mtime.',
})

export const wasteSchema = z
  .strictObject({
    bytes: int('What squashing the image would save'),
    files: int(),
    removed: wasteSumSchema,
    replaced: wasteSumSchema,
    metadataOnly: wasteSumSchema.openapi({
      description: 'Stored again with the same content, after a chmod, chown or touch.',
    }),
  })
  .openapi('Waste', { description: 'What layers store and later layers hide.' })

export const efficiencySchema = z
  .strictObject({
    score: z.number().min(0).max(1).openapi({ description: '0 to 1.' }),
    wastedBytes: int(),
    wastedUserRatio: z.number().min(0).optional().openapi({
      description:
        "dive's ratio of wasted bytes to those of all layers but the first; absent if these are empty.",
    }),
    inefficientPaths: int(),
  })
  .openapi('Efficiency', { description: 'What dive reports.' })

export const sizedPathSchema = z
  .strictObject({
    path: text(),
    pathBase64,
    bytes: int('Of a directory: the files below it'),
    layer: int().optional(),
  })
  .openapi('SizedPath')

export const warningSchema = z
  .strictObject({
    code: text(
      '`whiteoutOfNothing`, `duplicateEntry`, `symlinkParent`, `fileParent`, `danglingHardlink`, `absolute`, `dotdot`, `unreadableArchive`, `unreadableDatabase`, `databaseTooLarge`, `examinedTooLarge` (more was found inside files than is kept), `notExamined` (a layer known from its table of contents: nobody looked inside its files), `tableNotUsed` (`read=toc` read the layer’s content all the same)',
    ),
    count: int('Places'),
    layer: int('Of the first place, as `path` is').optional(),
    path: text().optional(),
    pathBase64,
  })
  .openapi('Warning')

export const reportSchema = z
  .strictObject({
    image: identitySchema,
    size: sizesSchema,
    counts: countsSchema,
    layers: z.array(layerSchema).openapi({ description: 'Lowest first.' }),
    waste: wasteSchema,
    duplicates: z
      .strictObject({
        groups: int(),
        wastedBytes: int('What keeping one copy of each would save'),
      })
      .openapi({ description: 'Files with equal content.' }),
    efficiency: efficiencySchema,
    largestFiles: z.array(sizedPathSchema).max(20).openapi({
      description: 'Largest first; every path of a hard link counts.',
    }),
    largestDirectories: z.array(sizedPathSchema).max(20).openapi({
      description: 'Largest first, with everything below them.',
    }),
    packages: z.strictObject({
      total: int(),
      byType: z.record(z.string(), z.int().nonnegative()).openapi({
        description: 'By package type.',
      }),
      ownedBytes: int('Files of the merged file system that some package owns'),
      ownedPercent: z.number().openapi({ description: 'Of `size.rootfsBytes`' }),
      buildTools: z
        .strictObject({
          bytes: int(),
          files: int(),
          largest: z.array(sizedPathSchema).max(10),
        })
        .optional()
        .openapi({ description: 'Packages that only a build needs, like compilers.' }),
    }),
    warnings: z.array(warningSchema).openapi({ description: 'One per code.' }),
  })
  .openapi('Report')
