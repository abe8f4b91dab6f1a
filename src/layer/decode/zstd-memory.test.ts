import { expect, it } from 'vitest'
import { blobOf, WASM } from '../../../test/support/blob.ts'
import { tarOfZeros } from '../../../test/support/zstd-frame.ts'
import { BlobReader } from '../blob.ts'
import { decode } from './decode.ts'
import { ZstdMemory } from './zstd-memory.ts'

const MIB = 2 ** 20

it('streams are admitted by their windows; one that needs more than there is runs alone', async () => {
  const memory = new ZstdMemory(60_000_000)
  const admitted: string[] = []
  const admit = (name: string, window: number) =>
    memory.admit(window).then((release) => {
      admitted.push(name)
      return release
    })
  const small = await Promise.all([admit('a', 8 * MIB), admit('b', 1), admit('c', 8 * MIB)])
  const large = admit('large', 128 * MIB)
  const last = admit('last', 1)
  for (const release of small) {
    expect(admitted).toEqual(['a', 'b', 'c'])
    release()
  }
  const release = await large
  expect(admitted).toEqual(['a', 'b', 'c', 'large'])
  release()
  await last
})

it('a stream that waits for too long is refused, for now', async () => {
  const memory = new ZstdMemory(1, 10)
  const release = await memory.admit(1)
  await expect(memory.admit(1)).rejects.toMatchObject({ code: 'rate_limited', fields: { retryAfter: 10 } })
  release()
  memory.share({ take: () => false })
  await expect(memory.admit(9 * MIB)).rejects.toMatchObject({ code: 'rate_limited' })
  // It gave back what it had of the memory.
  ;(await memory.admit(8 * MIB))()
})

it('streams whose frames claim 128 MiB are decoded one after the other', async () => {
  const { tar, frame } = tarOfZeros(MIB, 27)
  const zstdMemory = new ZstdMemory(1)
  const streams = await Promise.all(
    Array.from({ length: 3 }, () =>
      decode(new BlobReader(blobOf(frame).stream), { wasm: WASM, zstdWindow: 128 * MIB, zstdMemory }),
    ),
  )
  let open = 0
  let most = 0
  const sizes = streams.map(async ({ chunks }) => {
    let bytes = 0
    for await (const chunk of chunks) {
      if (bytes === 0) most = Math.max(most, ++open)
      bytes += chunk.length
    }
    open--
    return bytes
  })
  expect(await Promise.all(sizes)).toEqual([tar.length, tar.length, tar.length])
  expect(most).toBe(1)
})
