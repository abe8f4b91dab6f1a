import { createGunzip, type Gunzip } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { testInflater } from '../../../test/layers/gzip-cases.ts'
import { HandleInflater, handleWorks } from './inflate-handle.ts'
import { StreamInflater } from './inflate-stream.ts'

describe('by the handle', () => testInflater(() => new HandleInflater()))
describe('by the public stream', () => testInflater(() => new StreamInflater()))

describe('the handle is used', () => {
  it('on this runtime', () => {
    expect(handleWorks()).toBe(true)
  })

  const odd =
    (insides: object): (() => Gunzip) =>
    () =>
      Object.defineProperties(createGunzip(), Object.getOwnPropertyDescriptors(insides))
  it.each<[string, object]>([
    ['has no handle', { _handle: undefined }],
    ['has a handle that writes in another way', { _handle: { write: () => {} } }],
    ['has no state', { _writeState: undefined }],
    [
      'throws',
      {
        _handle: {
          writeSync: () => {
            throw new Error('moved')
          },
          close: () => {},
        },
      },
    ],
    ['writes nothing', { _handle: { writeSync: () => {}, close: () => {} } }],
    ['tells another state', { _writeState: new Uint32Array([0, 0]) }],
  ])('not where zlib %s', (_, insides) => {
    expect(handleWorks(odd(insides))).toBe(false)
  })
})
