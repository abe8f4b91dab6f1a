/** `/v1/report`: the shapes of `image/report.ts`, described. */
import { z } from '@hono/zod-openapi'
import { bytes, count, digest, layerIndex, path, pathBase64, text, time } from '../openapi/fields.ts'

const verified = z.enum(['content', 'contents-table']).openapi({
  description:
    'What is known comes from the content, or (`read=toc`) from a table of contents that the manifest vouches for. Of an image: the weakest of its layers.',
  example: 'content',
})

export const identitySchema = z
  .strictObject({
    reference: text('The reference of the request with its defaults filled in', 'localhost:5000/app:v1'),
    transport: text('The kind of source: `docker` for a registry', 'docker'),
    registry: text(
      'For a registry: `docker.io` for Docker Hub, otherwise `host[:port]`',
      'localhost:5000',
    ).optional(),
    repository: text('The repository; official images of Docker Hub begin with `library/`', 'app').optional(),
    tag: text('The tag, if the reference has one', 'v1').optional(),
    digest: digest("Digest of the image's manifest"),
    id: digest('Digest of the config, which `docker image ls` shows as the image ID'),
    indexDigest: digest('Digest of the index, if the reference names one').optional(),
    platform: text('`os/arch[/variant]`', 'linux/amd64'),
    mediaType: text(
      "Media type of the image's manifest",
      'application/vnd.docker.distribution.manifest.v2+json',
    ),
    created: time('Build time, from the config', '2026-11-24T07:50:17.956751555Z').optional(),
    os: text('Operating system, from the config', 'linux'),
    architecture: text('Architecture, from the config', 'amd64'),
    variant: text('Variant of the architecture, from the config', 'v8').optional(),
    verified: verified.optional(),
  })
  .openapi('Image', { description: 'The image of the answer.' })

export const sizesSchema = z
  .strictObject({
    compressedBytes: bytes('Sum of the compressed layers, as a pull transfers them', 85391353),
    uncompressedBytes: bytes(
      "Sum of the layers' tars; absent if a layer is known from a table of contents that does not say it",
      239802880,
    ).optional(),
    fileBytes: bytes('Sum of the regular files of all layers', 233035866),
    rootfsBytes: bytes('Files of the merged file system; a file with hard links counts once', 132644747),
    apparentBytes: bytes('Files of the merged file system; every path counts, hard links too', 136902003),
  })
  .openapi('Sizes', { description: 'The size of an image by five measures.' })

export const countsSchema = z
  .strictObject({
    layers: count('Layers', 8),
    entries: count('Members of all layers, whiteouts included', 8911),
    paths: count('Paths of the merged file system', 7006),
    files: count('Regular files; every path of a hard link counts', 5834),
    directories: count('Directories, implicit ones too', 662),
    symlinks: count('Symbolic links', 502),
    other: count('Devices, FIFOs and others', 8),
  })
  .openapi('Counts', { description: 'Numbers of layers and files.' })

export const compressionSchema = z.enum(['gzip', 'zstd', 'none']).openapi({
  description: 'Compression of the blob, detected from its first bytes.',
  example: 'gzip',
})

export const layerSchema = z
  .strictObject({
    index: layerIndex('The layer', 0),
    digest: digest('Digest of the blob'),
    diffId: digest('Digest of the uncompressed tar'),
    mediaType: text('Media type, from the manifest', 'application/vnd.docker.image.rootfs.diff.tar.gzip'),
    compression: compressionSchema,
    verified,
    compressedBytes: bytes('Size of the blob', 37477849),
    uncompressedBytes: bytes('Size of the tar, if it is known', 87948288).optional(),
    fileBytes: bytes("Sum of the layer's regular files", 85232776),
    entries: count('Members of the tar, whiteouts included', 3641),
    wastedBytes: bytes('Bytes in files that the merged file system does not show', 1427241),
    createdBy: text('The build step that made it', 'ADD base.tar / # buildkit').optional(),
    created: time('Time of that step', '2026-11-24T07:50:05.319237397Z').optional(),
    comment: text("The step's comment", 'buildkit.dockerfile.v0').optional(),
  })
  .openapi('Layer', { description: 'One layer of an image.' })

export const wasteSumSchema = z
  .strictObject({
    bytes: bytes('Sum of their sizes', 95345676),
    files: count('Number of files', 11),
  })
  .openapi('WasteSum', { description: 'Files that a layer stores and the merged file system does not show.' })

export const wasteReasonSchema = z.enum(['removed', 'replaced', 'metadataOnly']).openapi({
  description:
    'Why the file is hidden: its path was removed (`removed`), a later layer put something else there (`replaced`), or a later layer stores the same content again with another mode, owner or mtime (`metadataOnly`).',
  example: 'removed',
})

export const wasteSchema = z
  .strictObject({
    bytes: bytes('Bytes that squashing the image would save', 100391119),
    files: count('Number of hidden files', 1711),
    removed: wasteSumSchema.openapi({ description: 'Files that a later layer removed.' }),
    replaced: wasteSumSchema.openapi({
      description: 'Files that a later layer replaced.',
    }),
    metadataOnly: wasteSumSchema.openapi({
      description:
        'Files that a later layer stores again with the same content, after a chmod, chown or touch.',
    }),
  })
  .openapi('Waste', { description: 'Files that layers store and the merged file system does not show.' })

export const efficiencySchema = z
  .strictObject({
    score: z
      .number()
      .min(0)
      .max(1)
      .openapi({ description: "dive's efficiency score, 0 to 1.", example: 0.5673884122197739 }),
    wastedBytes: bytes('Bytes that dive counts as wasted', 105859459),
    wastedUserRatio: z.number().min(0).optional().openapi({
      description:
        "dive's ratio of wasted bytes to the bytes of all layers but the first; absent if only the first layer has bytes.",
      example: 0.716219525586373,
    }),
    inefficientPaths: count('Paths that dive calls inefficient', 1713),
  })
  .openapi('Efficiency', { description: 'The figures that dive reports.' })

export const sizedPathSchema = z
  .strictObject({
    path: path('Its path', 'usr/bin/python3.13'),
    pathBase64,
    bytes: bytes('Its size; for a directory the sum of the files below it', 6832784),
    layer: layerIndex('Its layer', 1).optional(),
  })
  .openapi('SizedPath', { description: 'A path and its size.' })

export const warningSchema = z
  .strictObject({
    code: text(
      '`whiteoutOfNothing`, `duplicateEntry`, `symlinkParent`, `fileParent`, `danglingHardlink`, `absolute`, `dotdot` and others',
      'duplicateEntry',
    ),
    count: count('Number of places', 2),
    layer: layerIndex('Layer of the first place', 1).optional(),
    path: path('Path of the first place', 'etc/passwd').optional(),
    pathBase64,
  })
  .openapi('Warning', { description: 'Something unusual in the layers that did not stop the analysis.' })

export const reportSchema = z
  .strictObject({
    image: identitySchema,
    size: sizesSchema,
    counts: countsSchema,
    layers: z.array(layerSchema).openapi({ description: 'The layers, the lowest first.' }),
    waste: wasteSchema,
    duplicates: z
      .strictObject({
        groups: count('Groups of files with the same content', 85),
        wastedBytes: bytes('Bytes that keeping one copy of each would save', 3341818),
      })
      .openapi({ description: 'Files with equal content in the merged file system.' }),
    efficiency: efficiencySchema,
    largestFiles: z.array(sizedPathSchema).max(20).openapi({
      description: 'The 20 largest regular files; every path of a hard link counts.',
    }),
    largestDirectories: z
      .array(sizedPathSchema)
      .max(20)
      .openapi({
        description: 'The 20 largest directories with everything below them.',
        example: [{ path: 'usr', bytes: 117502837 }],
      }),
    packages: z
      .strictObject({
        total: count('Packages', 234),
        byType: z.record(z.string(), z.int().nonnegative()).openapi({
          description: 'Number of packages by type: `deb`, `apk`, `rpm`, `npm`, `pypi`.',
          example: { deb: 167, npm: 67 },
        }),
        buildTools: z
          .strictObject({
            bytes: bytes('What their files take', 41236784),
            files: count('Their files', 1204),
            largest: z.array(sizedPathSchema).max(10).openapi({ description: 'The ten largest of them.' }),
          })
          .optional()
          .openapi({ description: 'Compilers and headers: packages that only a build needs.' }),
      })
      .openapi({ description: 'Installed packages.' }),
    warnings: z.array(warningSchema).openapi({ description: 'Warnings, one per code.' }),
  })
  .openapi('Report', { description: 'What is inside an image.' })
