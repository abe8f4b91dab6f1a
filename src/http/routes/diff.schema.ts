/** `/v1/diff` and its sub-paths: the shapes of `diff/`, described. */
import { z } from '@hono/zod-openapi'
import { digestSchema, int, pageOf, pathBase64, sha256Schema, text, time } from '../openapi/fields.ts'
import { packageTypeSchema } from './packages.schema.ts'
import { identitySchema, storedSchema } from './report.schema.ts'

const figure = z
  .strictObject({ from: int(), to: int(), delta: int() })
  .openapi('Figure', { description: 'A figure of both images; `delta` is the second minus the first.' })

const place = z.strictObject({ index: int(), digest: digestSchema }).openapi('LayerPlace')

const diffId = digestSchema

const unsharedLayerSchema = z
  .strictObject({
    diffId,
    ...place.shape,
    compressedBytes: int(),
    uncompressedBytes: int().optional(),
    wastedBytes: int(),
    createdBy: text('The build step').optional(),
  })
  .openapi('UnsharedLayer')

const sharedLayerSchema = z
  .strictObject({
    diffId,
    from: place,
    to: place,
  })
  .openapi('SharedLayer', { description: 'A layer of both images; its compression may differ.' })

export const changeKindSchema = z.enum(['added', 'removed', 'modified'])

export const fileChangeSchema = z
  .strictObject({
    path: text(),
    pathBase64,
    change: changeKindSchema,
    fields: z
      .array(z.enum(['content', 'type', 'mode', 'uid', 'gid', 'link', 'xattrs', 'device']))
      .optional()
      .openapi({ description: 'What differs in a modified path.' }),
    fromBytes: int('0 if not a regular file'),
    toBytes: int(),
    delta: int(),
  })
  .openapi('FileChange')

export const fileChangePageSchema = pageOf('FileChangePage', fileChangeSchema)

const directoryChangeSchema = z
  .strictObject({
    path: text('Empty for the root'),
    pathBase64,
    delta: int(),
    added: int(),
    removed: int(),
    modified: int(),
  })
  .openapi('DirectoryChange')

const packageChangeSchema = z
  .strictObject({
    type: packageTypeSchema,
    name: text(),
    architecture: text().optional(),
    path: text().optional(),
    from: text('Its version; absent if added').optional(),
    to: text('Its version; absent if removed').optional(),
    deltaBytes: int('Present if both images know the size of its files').optional(),
  })
  .openapi('PackageChange')

export const packageDiffSchema = z
  .strictObject({
    added: z.array(packageChangeSchema),
    removed: z.array(packageChangeSchema),
    changed: z.array(packageChangeSchema),
  })
  .openapi('PackageDiff')

const configValueSchema = z
  .union([z.string(), z.array(z.string()), z.looseObject({})])
  .openapi('ConfigValue', { description: 'Absent if not set.' })

const configChangeSchema = z
  .strictObject({
    field: text('`env.NAME`, `labels.KEY`, or the field’s name'),
    from: configValueSchema.optional(),
    to: configValueSchema.optional(),
  })
  .openapi('ConfigChange')

const stepChangeSchema = z
  .strictObject({
    created: time().optional(),
    createdBy: text().optional(),
    comment: text().optional(),
    emptyLayer: z.boolean(),
    layer: int().optional(),
    uncompressedBytes: int('Size of its layer’s tar').optional(),
  })
  .openapi('StepChange')

export const diffSchema = z
  .strictObject({
    from: identitySchema,
    to: identitySchema,
    size: z.strictObject({
      compressedBytes: figure,
      uncompressedBytes: figure.optional(),
      fileBytes: figure,
      rootfsBytes: figure,
      apparentBytes: figure,
      stored: z.strictObject({ from: storedSchema, to: storedSchema }),
    }),
    waste: figure,
    counts: z.strictObject({ layers: figure, files: figure }),
    identical: z.boolean().openapi({
      description: 'Same file systems (mtimes included) and configs.',
    }),
    layers: z.strictObject({
      shared: z.array(sharedLayerSchema),
      removed: z.array(unsharedLayerSchema),
      added: z.array(unsharedLayerSchema),
    }),
    files: z.strictObject({
      counts: z.strictObject({
        added: int(),
        removed: int(),
        modified: int('More than the mtime differs'),
        contentModified: int(),
        typeChanged: int(),
        mtimeOnly: int('Only the mtime differs'),
      }),
      bytes: z
        .strictObject({
          added: int(),
          removed: int(),
          modifiedDelta: int('Negative if they shrank'),
        })
        .openapi({ description: 'Every path of a hard link counts.' }),
      directories: z.array(directoryChangeSchema).max(50).openapi({
        description: 'By absolute delta, largest first.',
      }),
      largest: z.array(fileChangeSchema).max(50).openapi({
        description: 'By absolute delta, largest first.',
      }),
    }),
    packages: packageDiffSchema,
    config: z.array(configChangeSchema),
    history: z.strictObject({
      added: z.array(stepChangeSchema),
      removed: z.array(stepChangeSchema),
    }),
  })
  .openapi('Diff')

const versionSchema = z
  .strictObject({
    sha256: sha256Schema,
    bytes: int(),
  })
  .openapi('FileVersion')

export const textDiffSchema = z
  .strictObject({
    path: text(),
    pathBase64,
    from: versionSchema.optional(),
    to: versionSchema.optional(),
    identical: z.boolean(),
    binary: z.boolean().openapi({ description: 'Not text, and so without hunks.' }),
    coarse: z.boolean().openapi({
      description: 'Too many differences: one hunk replaces everything.',
    }),
    hunks: z.array(
      z.strictObject({
        fromStart: int('Lines count from 1'),
        fromLines: int(),
        toStart: int(),
        toLines: int(),
        lines: z.array(z.string()).openapi({
          description: 'Each after ` ` (in both), `-` (first image) or `+` (second).',
        }),
      }),
    ),
  })
  .openapi('TextDiff')
