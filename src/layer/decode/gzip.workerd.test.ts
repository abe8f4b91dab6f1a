/** Both ways to inflate in workerd, which has its own zlib implementation. */
import { describe, expect, it } from 'vitest'
import { testInflater } from '../../../test/layers/gzip-cases.ts'
import { HandleInflater, handleWorks } from './inflate-handle.ts'
import { StreamInflater } from './inflate-stream.ts'

describe('through the handle', () => testInflater(() => new HandleInflater()))
describe('through the public stream', () => testInflater(() => new StreamInflater()))

it('the handle works in workerd', () => {
  expect(handleWorks()).toBe(true)
})
