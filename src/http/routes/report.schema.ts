/** `/v1/report`: the shapes of `image/report.ts`, described. */
import { z } from '@hono/zod-openapi'
import { bytes, count, digest, layerIndex, path, pathBase64, text, time } from '../openapi/fields.ts'

export const identitySchema = z
  .strictObject({
    reference: text('What was asked for, with its defaults filled in', 'localhost:5000/app:v1'),
    transport: text('Where it is: `docker` for a registry', 'docker'),
    registry: text(
      'The registry that holds it, if one does: `docker.io` for Docker Hub, else `host[:port]`',
      'localhost:5000',
    ).optional(),
    repository: text(
      'The repository there, with `library/` on Docker Hub where that is meant',
      'app',
    ).optional(),
    tag: text('The tag, where one was asked for', 'v1').optional(),
    digest: digest(
      "Digest of the image's manifest",
      'sha256:e8269cae2af99353ee411e4f231684203c0df04750ae6830f8b34605332e0468',
    ),
    id: digest(
      'Digest of its config: the image ID that `docker image ls` shows',
      'sha256:0b3f1e4cf8ad0e0d2e7d13f4b1a1ac5d8a1d53b38ad3d1c0d9b1d9a7a2f1d4c5',
    ),
    indexDigest: digest(
      'Digest of the index that the reference names, where it names one',
      'sha256:2af55409f2a4fecb5d4947c50b44bd7e0bfffe1b8ac908712765df43cb5fdf13',
    ).optional(),
    platform: text('The platform as `os/arch[/variant]`', 'linux/amd64'),
    mediaType: text(
      "Media type of the image's manifest",
      'application/vnd.docker.distribution.manifest.v2+json',
    ),
    created: time('When it was built, as its config says', '2026-11-24T07:50:17.956751555Z').optional(),
    os: text('The operating system, as its config says', 'linux'),
    architecture: text('The architecture, as its config says', 'amd64'),
    variant: text("The architecture's variant, as its config says", 'v8').optional(),
  })
  .openapi('Image', { description: 'Which image an answer is about.' })

export const sizesSchema = z
  .strictObject({
    compressedBytes: bytes("Sum of the layers' blobs as the registry holds them", 85391353),
    uncompressedBytes: bytes("Sum of the layers' tars", 239802880),
    fileBytes: bytes('Sum over the regular files of all layers', 233035866),
    rootfsBytes: bytes('The merged file system, each file once however many hard links it has', 132644747),
    apparentBytes: bytes('The merged file system, each path once: a hard link counts again', 136902003),
  })
  .openapi('Sizes', { description: 'How large an image is, by every measure that people mean.' })

export const countsSchema = z
  .strictObject({
    layers: count('Layers', 8),
    entries: count('Members of all layers, whiteouts included', 8911),
    paths: count('Paths of the merged file system', 7006),
    files: count('Regular files among them, each path of a hard link', 5834),
    directories: count('Directories among them, implied ones too', 662),
    symlinks: count('Symbolic links among them', 502),
    other: count('Devices, fifos and all else among them', 8),
  })
  .openapi('Counts', { description: 'How many of what an image has.' })

export const compressionSchema = z.enum(['gzip', 'zstd', 'none']).openapi({
  description: "How the layer's blob is packed, told by its bytes.",
  example: 'gzip',
})

export const layerSchema = z
  .strictObject({
    index: layerIndex('The layer', 0),
    digest: digest(
      'Digest of the blob',
      'sha256:93752960f6e101e6f0b32b803820b1d9c8fa1b56ea554930f1778a53d127c579',
    ),
    diffId: digest(
      'Digest of the uncompressed tar',
      'sha256:e5079b2b165d031ded169bcb0e77deec548dfc4148649507aafcbad94cc9a183',
    ),
    mediaType: text('Media type, as the manifest says', 'application/vnd.docker.image.rootfs.diff.tar.gzip'),
    compression: compressionSchema,
    compressedBytes: bytes('Size of the blob', 37477849),
    uncompressedBytes: bytes('Size of the tar', 87948288),
    fileBytes: bytes("Sum over the layer's regular files", 85232776),
    entries: count("Members of the layer's tar, whiteouts included", 3641),
    wastedBytes: bytes("Those of the layer's files that the merged file system does not show", 1427241),
    createdBy: text(
      'The step of the history that made it; steps that made no layer are skipped',
      'ADD base.tar / # buildkit',
    ).optional(),
    created: time('When that step ran', '2026-11-24T07:50:05.319237397Z').optional(),
    comment: text("The step's comment", 'buildkit.dockerfile.v0').optional(),
  })
  .openapi('Layer', { description: 'One layer of an image.' })

export const wasteSumSchema = z
  .strictObject({
    bytes: bytes('Their sizes', 95345676),
    files: count('How many files', 11),
  })
  .openapi('WasteSum', { description: 'Files that are stored and not shown.' })

export const wasteReasonSchema = z.enum(['removed', 'replaced', 'metadataOnly']).openapi({
  description:
    'Why a file is not shown: its path is gone (`removed`), something else is there (`replaced`), or a later layer holds the same content again, with another mode, owner or time (`metadataOnly`).',
  example: 'removed',
})

export const wasteSchema = z
  .strictObject({
    bytes: bytes('What a squash would save', 100391119),
    files: count('Files that a layer stores and the merged file system does not show', 1711),
    removed: wasteSumSchema.openapi({ description: 'Files whose path a later layer removed.' }),
    replaced: wasteSumSchema.openapi({
      description: 'Files in whose place a later layer put something else.',
    }),
    metadataOnly: wasteSumSchema.openapi({
      description: 'Files that a later layer stores again with the same content: a chmod, a chown, a touch.',
    }),
  })
  .openapi('Waste', { description: 'What the layers store and nobody sees.' })

export const efficiencySchema = z
  .strictObject({
    score: z
      .number()
      .min(0)
      .max(1)
      .openapi({ description: "dive's efficiency score, 0 to 1.", example: 0.5673884122197739 }),
    wastedBytes: bytes('What dive counts as wasted', 105859459),
    wastedUserRatio: z.number().min(0).optional().openapi({
      description:
        "dive's ratio of wasted bytes to the bytes in all layers but the first; absent where only the first has bytes.",
      example: 0.716219525586373,
    }),
    inefficientPaths: count('Paths that dive counts as inefficient', 1713),
  })
  .openapi('Efficiency', { description: "dive's figures, for those who gate on them." })

export const sizedPathSchema = z
  .strictObject({
    path: path('Where it stands', 'usr/bin/python3.13'),
    pathBase64,
    bytes: bytes('Its size; of a directory the sum over all below it', 6832784),
    layer: layerIndex('The layer that holds it', 1).optional(),
  })
  .openapi('SizedPath', { description: 'A path and how large it is.' })

export const warningSchema = z
  .strictObject({
    code: text(
      'What is odd: `whiteoutOfNothing`, `duplicateEntry`, `symlinkParent`, `fileParent`, `danglingHardlink`, `absolute`, `dotdot` and others',
      'duplicateEntry',
    ),
    count: count('How often it was met', 2),
    layer: layerIndex('The layer where it was met first', 1).optional(),
    path: path('Where it was met first', 'etc/passwd').optional(),
    pathBase64,
  })
  .openapi('Warning', { description: 'Something odd about the layers that did not stop the analysis.' })

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
        wastedBytes: bytes('What one copy of each would save', 3341818),
      })
      .openapi({ description: 'Equal files in the merged file system.' }),
    efficiency: efficiencySchema,
    largestFiles: z.array(sizedPathSchema).max(20).openapi({
      description: 'The 20 largest regular files, each path of a hard link; largest first.',
    }),
    largestDirectories: z
      .array(sizedPathSchema)
      .max(20)
      .openapi({
        description: 'The 20 largest directories, each with all below it; largest first.',
        example: [{ path: 'usr', bytes: 117502837 }],
      }),
    packages: z
      .strictObject({
        total: count('Packages', 234),
        byType: z.record(z.string(), z.int().nonnegative()).openapi({
          description: 'How many of each type: `deb`, `apk`, `rpm`, `npm`, `pypi`.',
          example: { deb: 167, npm: 67 },
        }),
      })
      .openapi({ description: 'What package managers say is installed.' }),
    warnings: z.array(warningSchema).openapi({ description: 'Oddities, one a code.' }),
  })
  .openapi('Report', { description: 'What is inside an image.' })
