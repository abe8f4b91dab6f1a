import { createInflateRaw, type InflateRaw } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { testInflater } from '../../../test/layers/gzip-cases.ts'
import { HandleInflater, handleWorks } from './inflate-handle.ts'
import { StreamInflater } from './inflate-stream.ts'

describe('through the handle', () => testInflater(() => new HandleInflater()))
describe('through the public stream', () => testInflater(() => new StreamInflater()))

describe('the handle is used', () => {
  it('on this runtime', () => {
    expect(handleWorks()).toBe(true)
  })

  const odd =
    (insides: object): (() => InflateRaw) =>
    () =>
      Object.defineProperties(createInflateRaw(), Object.getOwnPropertyDescriptors(insides))
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
    ['reports another state', { _writeState: new Uint32Array([0, 0]) }],
  ])('not if zlib %s', (_, insides) => {
    expect(handleWorks(odd(insides))).toBe(false)
  })
})
