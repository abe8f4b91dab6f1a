import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BlobReader } from '../../../src/layer/blob.ts'
import { readRange } from './file-range.ts'

const bytes = randomBytes(1_000_003)
const RANGE = { offset: 5, length: 999_990 }
const WANTED = bytes.subarray(RANGE.offset, RANGE.offset + RANGE.length)

describe('a range of a file', () => {
  let folder: string
  let file: FileHandle

  const read = async (range = RANGE) => {
    file = await open(join(folder, 'file'))
    return readRange(file, range, (error) => error)
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lamina-range-'))
    await writeFile(join(folder, 'file'), bytes)
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('is the same for readers with and without their own buffer, and leaves the file closed', async () => {
    expect(Buffer.concat(await Array.fromAsync(await read())).equals(WANTED)).toBe(true)
    expect(file.fd).toBe(-1)
    const blob = new BlobReader(await read())
    const pieces: Uint8Array[] = []
    for (let piece = await blob.read(); piece !== undefined; piece = await blob.read()) {
      pieces.push(piece.slice())
      blob.release(piece)
    }
    expect(Buffer.concat(pieces).equals(WANTED)).toBe(true)
    expect(file.fd).toBe(-1)
  })

  it("is read into the reader's buffer", async () => {
    const reader = (await read()).getReader({ mode: 'byob' })
    const { value } = await reader.read(new Uint8Array(new ArrayBuffer(1_234), 34))
    expect([value?.byteOffset, value?.length, value?.buffer.byteLength]).toEqual([34, 1_200, 1_234])
    await reader.cancel()
    expect(file.fd).toBe(-1)
  })

  it('fails if the file is shorter, and leaves it closed', async () => {
    const stream = await read({ offset: 5, length: 2_000_000 })
    await expect(Array.fromAsync(stream)).rejects.toThrow('truncated')
    expect(file.fd).toBe(-1)
  })
})
