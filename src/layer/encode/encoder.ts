/**
 * Compresses in this thread, through the handle inside a zlib stream. The stream itself would compress on threads that the whole
 * process shares, and at high levels occupy them for minutes.
 */
import { constants, createGzip, createZstdCompress } from 'node:zlib'
import type { EncoderSetting } from '../../oci/compression-setting.ts'
import { withInsides } from '../decode/zlib-handle.ts'

const OUTPUT_BYTES = 128 * 1024

/** One gzip member, or one zstd frame without checksum or dictionary. */
export class Encoder {
  readonly #stream: ReturnType<typeof createStream>
  readonly #goOn: number
  readonly #finish: number
  readonly #output = new Uint8Array(OUTPUT_BYTES)

  /** @throws Error if this runtime's zlib has no such handle */
  constructor({ format, level }: EncoderSetting) {
    this.#stream = createStream(format, level)
    this.#goOn = format === 'zstd' ? constants.ZSTD_e_continue : constants.Z_NO_FLUSH
    this.#finish = format === 'zstd' ? constants.ZSTD_e_end : constants.Z_FINISH
  }

  /** A piece of output is valid until the next is requested. */
  write(input: Uint8Array): Generator<Uint8Array> {
    return this.#encode(input, this.#goOn)
  }

  finish(): Generator<Uint8Array> {
    return this.#encode(new Uint8Array(0), this.#finish)
  }

  close(): void {
    this.#stream.destroy()
  }

  *#encode(input: Uint8Array, flush: number): Generator<Uint8Array> {
    const { _handle, _writeState } = this.#stream
    let rest = input
    for (;;) {
      _handle.writeSync(flush, rest, 0, rest.length, this.#output, 0, OUTPUT_BYTES)
      if (this.#stream.errored) throw this.#stream.errored
      const [free, left] = _writeState
      rest = rest.subarray(rest.length - left)
      if (free < OUTPUT_BYTES) yield this.#output.subarray(0, OUTPUT_BYTES - free)
      // A full output may hide more.
      if (free > 0) return
    }
  }
}

function createStream(format: EncoderSetting['format'], level: number) {
  return format === 'zstd'
    ? withInsides(createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } }))
    : withInsides(createGzip({ level }))
}
