import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { testCheckpoints } from '../../../test/layers/checkpoint-cases.ts'
import { LONG } from '../../../test/layers/tries.ts'
import { WASM } from '../../../test/support/blob.ts'
import { WINDOW_BYTES } from './block-start.ts'
import { type Checkpoint, CheckpointRecorder } from './checkpoints.ts'

const MEBIBYTE = 1024 * 1024

testCheckpoints({ wasm: WASM }, LONG ? 1_000 : 40)

test('a block whose window could not be reduced is left out for a later one, but not for long', () => {
  const added: Checkpoint[] = []
  const recorder = new CheckpointRecorder({ add: (checkpoint) => void added.push(checkpoint) })
  const window = randomBytes(WINDOW_BYTES)
  const offer = (mebibytes: number, isReduced: boolean) => {
    const place = { blobOffset: mebibytes * MEBIBYTE, tarOffset: mebibytes * MEBIBYTE }
    expect(recorder.wantsBlock(place.blobOffset, place.tarOffset)).toBe(true)
    recorder.block({ ...place, bit: 0, window, isReduced })
  }
  offer(4.1, false)
  offer(4.2, true)
  for (const whole of [8.3, 8.4, 8.5, 8.6, 8.7]) offer(whole, false)
  expect(added.map(({ tarOffset }) => tarOffset / MEBIBYTE)).toEqual([4.2, 8.7])
})
