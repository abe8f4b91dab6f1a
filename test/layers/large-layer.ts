/** Layers of gigabytes that cost little to make and to keep: each file is a gzip member, compressed once. */
import { createHash, randomBytes } from 'node:crypto'
import { constants, gzipSync } from 'node:zlib'
import type { TestLayer } from '../support/images.ts'
import { header } from '../support/tar.ts'

const FILE_BYTES = 1024 * 1024
/** Random bytes in each file; the rest is zeros. */
const RANDOM_BYTES = 16 * 1024

/** Bytes of the layer's tar. */
export function largeLayerBytes(files: number): number {
  return files * (512 + FILE_BYTES) + 1024
}

/** A layer of `files` files of 1 MiB each, called `<name>/<number>`. */
export function largeLayer(name: string, files: number): TestLayer {
  const content = Buffer.concat([randomBytes(RANDOM_BYTES), Buffer.alloc(FILE_BYTES - RANDOM_BYTES)])
  const packed = compress(content)
  const tar = createHash('sha256')
  const pieces: Uint8Array[] = []
  for (let file = 0; file < files; file++) {
    const head = header({ name: `${name}/${file}`, size: FILE_BYTES })
    tar.update(head).update(content)
    pieces.push(compress(head), packed)
  }
  const end = Buffer.alloc(1024)
  tar.update(end)
  pieces.push(compress(end))
  const bytes = Buffer.concat(pieces)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  return {
    descriptor: {
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest,
      size: bytes.length,
    },
    diffId: `sha256:${tar.digest('hex')}`,
    bytes,
  }
}

function compress(bytes: Uint8Array): Buffer {
  return gzipSync(bytes, { level: constants.Z_BEST_SPEED })
}
