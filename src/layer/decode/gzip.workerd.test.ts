/** Both ways to inflate in workerd, which has a zlib written for itself. */
import { describe, expect, it } from 'vitest'
import { testInflater } from '../../../test/layers/gzip-cases.ts'
import { HandleInflater, handleWorks } from './inflate-handle.ts'
import { StreamInflater } from './inflate-stream.ts'

describe('by the handle', () => testInflater(() => new HandleInflater()))
describe('by the public stream', () => testInflater(() => new StreamInflater()))

it('the handle works in workerd', () => {
  expect(handleWorks()).toBe(true)
})
