/**
 * The tables of a lake: their columns, how their rows are sorted, and the statements that make them of what a service
 * stores. `docs/fleet.md` has the views that read them.
 */

export type LakeTable = {
  readonly name: TableName
  /** As in a `CREATE TABLE`. */
  readonly columns: string
  /** The partition is the first byte of this: an expression for two hexadecimal digits. */
  readonly byte: string
  /** Sort order within a partition. */
  readonly order: string
}

/** Created together, from the images of a batch. */
export const IMAGE_TABLES = [
  'files',
  'contents',
  'packages',
  'package_images',
  'image_layers',
  'images',
] as const
/** Created together, from the layers of a batch. */
export const LAYER_TABLES = ['entries', 'layers'] as const
/** Created from the names of objects alone. */
export const NAME_TABLES = ['names', 'sources'] as const

export type TableName =
  | (typeof IMAGE_TABLES)[number]
  | (typeof LAYER_TABLES)[number]
  | (typeof NAME_TABLES)[number]

const MEMBER = `path VARCHAR, "pathBytes" BLOB, type VARCHAR, bytes BIGINT, mode INTEGER, uid BIGINT, gid BIGINT,
  mtime TIMESTAMPTZ, link VARCHAR, "linkBytes" BLOB, device VARCHAR, xattrs VARCHAR, whiteout VARCHAR, ordinal INTEGER,
  "offset" BIGINT`
const PACKAGE = `type VARCHAR, name VARCHAR, version VARCHAR, architecture VARCHAR, purl VARCHAR, license VARCHAR, bytes BIGINT, path VARCHAR,
  layer INTEGER`

export const TABLES: Readonly<Record<TableName, LakeTable>> = {
  files: {
    name: 'files',
    columns: `image VARCHAR, ${MEMBER}, layer INTEGER, inode INTEGER, linked BOOLEAN, implicit BOOLEAN, sha256 BLOB`,
    byte: 'image[:2]',
    order: 'path, image',
  },
  contents: {
    name: 'contents',
    columns: 'sha256 BLOB, image VARCHAR, path VARCHAR, bytes BIGINT, layer INTEGER',
    byte: 'lower(hex(sha256))[:2]',
    order: 'sha256, image, path',
  },
  packages: {
    name: 'packages',
    columns: `image VARCHAR, ${PACKAGE}`,
    byte: 'image[:2]',
    order: 'type, name, version, image',
  },
  package_images: {
    name: 'package_images',
    columns: `${PACKAGE}, image VARCHAR`,
    byte: 'md5(name)[:2]',
    order: 'type, name, version, image',
  },
  image_layers: {
    name: 'image_layers',
    columns:
      'image VARCHAR, layer INTEGER, blob VARCHAR, compressed_bytes BIGINT, uncompressed_bytes BIGINT, created_by VARCHAR',
    byte: 'image[:2]',
    order: 'blob, image, layer',
  },
  images: {
    name: 'images',
    columns: `image VARCHAR, title VARCHAR, version VARCHAR, architecture VARCHAR, failure VARCHAR, compressed_bytes BIGINT,
      uncompressed_bytes BIGINT, rootfs_bytes BIGINT, wasted_bytes BIGINT, layers INTEGER, files INTEGER, packages INTEGER`,
    byte: 'image[:2]',
    order: 'image',
  },
  entries: {
    name: 'entries',
    columns: `blob VARCHAR, ${MEMBER}, sha256 BLOB`,
    byte: 'blob[:2]',
    order: 'path, blob, ordinal',
  },
  layers: {
    name: 'layers',
    columns: `blob VARCHAR, "diffId" VARCHAR, compression VARCHAR, compressed_bytes BIGINT, uncompressed_bytes BIGINT,
      file_bytes BIGINT, entries INTEGER`,
    byte: 'blob[:2]',
    order: 'blob',
  },
  names: {
    name: 'names',
    columns: 'image VARCHAR, name VARCHAR',
    byte: 'image[:2]',
    order: 'image, name',
  },
  sources: {
    name: 'sources',
    columns: 'hex VARCHAR, registry VARCHAR',
    byte: 'hex[:2]',
    order: 'hex, registry',
  },
}

/** The variable `objects` has the paths of the objects that a statement reads. */
const OBJECTS = "getvariable('objects')"
const DIGEST = 'parse_path(filename)[-2]'

/** From `files.parquet`. */
export const SELECT_FILES = `
  SELECT ${DIGEST} AS image, * EXCLUDE (filename) FROM read_parquet(${OBJECTS}, filename = true)`

/** From the batch's files. */
export const SELECT_CONTENTS = `
  SELECT sha256, image, path, bytes, layer FROM files WHERE type = 'file' AND sha256 IS NOT NULL`

/** From `packages.parquet`. */
export const SELECT_PACKAGES = `
  SELECT ${DIGEST} AS image, * EXCLUDE (filename) FROM read_parquet(${OBJECTS}, filename = true)`

export const SELECT_PACKAGE_IMAGES = 'SELECT * FROM packages'

/** From the note of `packages.parquet`. */
export const SELECT_IMAGE_LAYERS = `
  SELECT image, layer.index AS layer, layer.digest[8:] AS blob, layer.compressedBytes AS compressed_bytes,
         layer.uncompressedBytes AS uncompressed_bytes, layer.createdBy AS created_by
  FROM (
    SELECT parse_path(file_name)[-2] AS image, unnest(from_json(decode(value), '{"facts": {"layers": [{"index": "INTEGER",
      "digest": "VARCHAR", "compressedBytes": "BIGINT", "uncompressedBytes": "BIGINT", "createdBy": "VARCHAR"}]}}'
    ).facts.layers) AS layer
    FROM parquet_kv_metadata(${OBJECTS}) WHERE decode(key) = 'lamina.image'
  )`

/** From the same and the batch's manifests and configs (`labels`). */
export const SELECT_IMAGES = `
  SELECT image, title, version, architecture, failure.code AS failure, facts.size.compressedBytes AS compressed_bytes,
         facts.size.uncompressedBytes AS uncompressed_bytes, facts.size.rootfsBytes AS rootfs_bytes,
         facts.waste.bytes AS wasted_bytes, facts.counts.layers AS layers, facts.counts.files AS files,
         facts.packages.total AS packages
  FROM (
    SELECT image, note.facts, note.failure
    FROM (
      SELECT parse_path(file_name)[-2] AS image, from_json(decode(value), '{"facts": {"size": {"compressedBytes": "BIGINT",
        "uncompressedBytes": "BIGINT", "rootfsBytes": "BIGINT"}, "counts": {"layers": "INTEGER", "files": "INTEGER"},
        "waste": {"bytes": "BIGINT"}, "packages": {"total": "INTEGER"}}, "failure": {"code": "VARCHAR"}}') AS note
      FROM parquet_kv_metadata(${OBJECTS}) WHERE decode(key) = 'lamina.image'
    )
  ) LEFT JOIN labels USING (image)`

/**
 * Texts of manifests and configs, by digest. They come from registries: invalid JSON or UTF-8 becomes null and stops nothing.
 */
export const SELECT_DOCUMENTS = `
  SELECT ${DIGEST} AS hex, CASE WHEN json_valid(text) THEN text::JSON END AS document
  FROM (SELECT filename, TRY(decode(content)) AS text FROM read_blob(${OBJECTS}))`

/** For each image whose config digest is known. */
export const SELECT_CONFIG_DIGESTS = `
  SELECT hex AS image, (document ->> '$.config.digest')[8:] AS config
  FROM manifests WHERE regexp_full_match(document ->> '$.config.digest', 'sha256:[0-9a-f]{64}')`

export const SELECT_LABELS = `
  SELECT image, document ->> '$.config.Labels."org.opencontainers.image.title"' AS title,
         document ->> '$.config.Labels."org.opencontainers.image.version"' AS version,
         document ->> '$.architecture' AS architecture
  FROM image_configs JOIN configs ON configs.hex = image_configs.config`

/** From `entries.parquet`. */
export const SELECT_ENTRIES = `
  SELECT ${DIGEST} AS blob, * EXCLUDE (filename) FROM read_parquet(${OBJECTS}, filename = true)`

/** From the note of `entries.parquet`. */
export const SELECT_LAYERS = `
  SELECT blob, facts.diffId AS "diffId", facts.compression, facts.compressedBytes AS compressed_bytes,
         facts.uncompressedBytes AS uncompressed_bytes, facts.fileBytes AS file_bytes, facts.entries
  FROM (
    SELECT parse_path(file_name)[-2] AS blob, from_json(decode(value), '{"diffId": "VARCHAR", "compression": "VARCHAR",
      "compressedBytes": "BIGINT", "uncompressedBytes": "BIGINT", "fileBytes": "BIGINT", "entries": "INTEGER"}') AS facts
    FROM parquet_kv_metadata(${OBJECTS}) WHERE decode(key) = 'lamina.layer'
  )`

/** From the names of all objects (`keys`). */
export const SELECT_NAMES = `
  SELECT split_part(key, '/', 3) AS image, url_decode(split_part(key, '/', 4)) AS name
  FROM keys WHERE starts_with(key, 'names/')`
export const SELECT_SOURCES = `
  SELECT split_part(key, '/', 3) AS hex, split_part(key, '/', 4) AS registry
  FROM keys WHERE starts_with(key, 'sources/') AND split_part(key, '/', 4) <> 'public'`
