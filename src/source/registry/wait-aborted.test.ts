import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { waitFor } from './wait.ts'

test('what fails after its caller has left goes unheard, and ends nothing', async () => {
  const unheard: unknown[] = []
  const hear = (reason: unknown) => unheard.push(reason)
  process.on('unhandledRejection', hear)
  const gone = AbortSignal.abort(new Error('gone'))
  await expect(waitFor(Promise.reject(new Error('late')), { signal: gone })).rejects.toThrow('gone')
  await setImmediate()
  process.off('unhandledRejection', hear)
  expect(unheard).toEqual([])
})
