import { syncBuiltinESMExports } from 'node:module'
import zlib, { createInflateRaw, gzipSync, type InflateRaw } from 'node:zlib'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { testInflater } from '../../../test/layers/gzip-cases.ts'
import { BlobReader } from '../blob.ts'
import { HandleInflater, handleWorks } from './inflate-handle.ts'
import { StreamInflater } from './inflate-stream.ts'

describe('through the handle', () => testInflater(() => new HandleInflater()))
describe('through the public stream', () => testInflater(() => new StreamInflater()))

describe('the handle is used', () => {
  it('on this runtime', () => {
    expect(handleWorks()).toBe(true)
  })

  const real = createInflateRaw
  const odd =
    (insides: object): (() => InflateRaw) =>
    () =>
      Object.defineProperties(real(), Object.getOwnPropertyDescriptors(insides))
  it.each<[string, object]>([
    ['has no handle', { _handle: undefined }],
    ['has a handle with another way to write', { _handle: { write: () => {} } }],
    ['has no state', { _writeState: undefined }],
    [
      'throws',
      {
        _handle: {
          writeSync: () => {
            throw new Error('moved')
          },
          reset: () => {},
          close: () => {},
        },
      },
    ],
    ['writes nothing', { _handle: { writeSync: () => {}, reset: () => {}, close: () => {} } }],
    ['hides errors', { errored: null }],
    ['reports another state', { _writeState: new Uint32Array([0, 0]) }],
  ])('not if zlib %s', (_, insides) => {
    expect(handleWorks(odd(insides))).toBe(false)
  })
  it('not by a layer\u2019s reader if zlib has none: it uses the public stream', async () => {
    const use = (value: () => InflateRaw) => {
      Object.defineProperty(zlib, 'createInflateRaw', { value, configurable: true, enumerable: true })
      syncBuiltinESMExports()
    }
    use(odd({ _handle: undefined }))
    onTestFinished(() => {
      use(real)
      vi.resetModules()
    })
    vi.resetModules()
    const { canResumeGzip, gunzip } = await import('./gzip.ts')
    const blob = new BlobReader(new Blob([gzipSync('one'), gzipSync('two')]).stream())
    let text = ''
    for await (const piece of gunzip(blob)) text += Buffer.from(piece).toString()
    expect([text, canResumeGzip()]).toEqual(['onetwo', false])
  })
})
