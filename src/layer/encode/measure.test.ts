import { hash } from 'node:crypto'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { compiledWasm } from '../../../workers/wasm.ts'
import { parseConfiguration } from '../../configuration.ts'
import { type CompressionSetting, isSetting } from '../../oci/compression-setting.ts'
import { type MeasureOptions, measureLayer } from './measure.ts'

const { limits } = parseConfiguration({}, 'node')
const wasm = compiledWasm()
/** Compresses, but not to nothing, and is longer than any buffer on the way. */
const TAR = Buffer.concat(
  Array.from({ length: 10_000 }, (_, n) => Buffer.from(`${n} ${hash('sha256', String(n))}\n`)),
)
const PIECE_BYTES = 50_000

function measure(
  bytes: Uint8Array,
  settings: readonly CompressionSetting[],
  options: Partial<MeasureOptions> = {},
  onPull = () => {},
) {
  const descriptor = { digest: `sha256:${hash('sha256', bytes)}`, size: bytes.length }
  let at = 0
  const blob = new ReadableStream<Uint8Array>({
    pull(controller) {
      onPull()
      if (at >= bytes.length) controller.close()
      else controller.enqueue(bytes.slice(at, at + PIECE_BYTES))
      at += PIECE_BYTES
    },
  })
  return measureLayer(blob, { descriptor, settings, limits, wasm, ...options })
}

const zstd = (level: number) =>
  zstdCompressSync(TAR, { params: { [constants.ZSTD_c_compressionLevel]: level } })

it.each<[CompressionSetting, () => Uint8Array]>([
  ['zstd:1', () => zstd(1)],
  ['zstd:3', () => zstd(3)],
  ['zstd:19', () => zstd(19)],
  ['gzip:1', () => gzipSync(TAR, { level: 1 })],
  ['gzip:9', () => gzipSync(TAR, { level: 9 })],
])('%s has as many bytes as zlib makes of the whole', async (setting, whole) => {
  const { measured } = await measure(TAR, [setting])
  const bytes = measured[setting]?.bytes ?? 0
  expect(Math.abs(bytes / whole().length - 1)).toBeLessThan(0.005)
})

it.each([
  ['none', TAR],
  ['gzip', Buffer.concat([gzipSync(TAR.subarray(0, 9_999)), gzipSync(TAR.subarray(9_999))])],
  ['zstd', Buffer.concat([zstdCompressSync(TAR.subarray(0, 9_999)), zstdCompressSync(TAR.subarray(9_999))])],
])('one pass over a layer with the compression %s serves all settings', async (compression, bytes) => {
  const one = { compressSeconds: expect.any(Number), decompressSeconds: expect.any(Number) }
  const found = await measure(bytes, ['gzip:6', 'zstd:1', 'zstd:3'])
  expect(found).toEqual({
    compression,
    uncompressedBytes: TAR.length,
    decompressSeconds: expect.any(Number),
    measured: {
      'gzip:6': { bytes: expect.closeTo(gzipSync(TAR).length, -3), ...one },
      'zstd:1': { bytes: expect.closeTo(zstd(1).length, -3), ...one },
      'zstd:3': { bytes: expect.closeTo(zstd(3).length, -3), ...one },
    },
  })
  expect(Object.keys(found.measured)).toEqual(['gzip:6', 'zstd:1', 'zstd:3'])
})

it('without a setting the layer is read and verified', async () => {
  expect(await measure(gzipSync(TAR), [])).toMatchObject({ uncompressedBytes: TAR.length, measured: {} })
})

it('time that the source takes is not counted', async () => {
  let milliseconds = 0
  const onPull = () => {
    milliseconds += 1_000
  }
  const found = await measure(gzipSync(TAR), ['gzip:1', 'zstd:1'], { now: () => milliseconds }, onPull)
  expect(milliseconds).toBeGreaterThan(2_000)
  const { decompressSeconds, measured } = found
  const all = Object.values(measured).flatMap((one) => [one.compressSeconds, one.decompressSeconds])
  expect([decompressSeconds, ...all]).toEqual([0, 0, 0, 0, 0])
})

it.each<[string, Uint8Array, Partial<MeasureOptions>, object]>([
  ['cut off', gzipSync(TAR).subarray(0, 20_000), {}, { code: 'invalid_image', message: /end/ }],
  [
    'another blob',
    gzipSync(TAR),
    { descriptor: { digest: 'sha256:0', size: 1e9 } },
    { code: 'invalid_image' },
  ],
  ['too long', TAR, { descriptor: { digest: 'sha256:0', size: 9 } }, { code: 'invalid_image' }],
  ['too large', gzipSync(TAR), { limits: { ...limits, layerBytes: 99_999 } }, { code: 'too_large' }],
])('a layer that is %s fails', async (_, bytes, options, problem) => {
  await expect(measure(bytes, ['zstd:1', 'gzip:1'], options)).rejects.toMatchObject({
    ...problem,
    ...('message' in problem ? { message: expect.stringMatching(/end|truncated|cut/) } : {}),
  })
})

it('stops soon after it is cancelled, and lets go of the source', async () => {
  const cancel = new AbortController()
  let isLetGo = false
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(TAR.slice()),
    cancel: () => {
      isLetGo = true
    },
  })
  const descriptor = { digest: 'sha256:0', size: 1e12 }
  const onBytes = (bytes: number) => {
    if (bytes > 1_000_000) cancel.abort(new Error('nobody asks'))
  }
  const { signal } = cancel
  const measuring = measureLayer(endless, {
    descriptor,
    settings: ['zstd:9', 'gzip:9'],
    limits,
    wasm,
    signal,
    onBytes,
  })
  await expect(measuring).rejects.toThrow('nobody asks')
  expect(isLetGo).toBe(true)
})

it.each([
  'zstd',
  'zstd:',
  'zstd:0',
  'zstd:20',
  'zstd:03',
  'zstd:3.5',
  'zstd: 3',
  'ZSTD:3',
  'gzip:10',
  'brotli:5',
  '',
])('`%s` is no setting', (text) => expect(isSetting(text)).toBe(false))
