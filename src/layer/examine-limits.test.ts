/** What the files of one layer may cost together. */
import { deflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { zipOf } from '../../test/support/zip.ts'
import { rangesOf } from '../inside/ranges.ts'
import { type Examined, type ExaminedSink, FileExaminer, HELD_BYTES } from './examine.ts'

const MEBIBYTE = 1024 * 1024
const GOOD = zipOf({ 'META-INF/maven/org.x/a/pom.properties': 'version=1' })
/** Says that it inflates to 250 MiB, which counts although it does not. */
const BOMB = zipOf(
  {},
  { raw: [{ name: 'b.jar', stored: deflateRawSync('x'), bytes: 250 * MEBIBYTE, crc32: 0 }] },
)

async function examine(examiner: FileExaminer, key: string, content: Uint8Array) {
  examiner.open(key, content.length)
  await examiner.write(content)
  return (await examiner.close())?.jar
}

/** Puts content aside in memory, and says how large it was. */
function memorySink(put: number[] = []): ExaminedSink {
  return {
    examined: async () => 'kept',
    scratch() {
      const pieces: Uint8Array[] = []
      return {
        write: (piece) => void pieces.push(piece.slice()),
        async finish() {
          const content = Buffer.concat(pieces)
          put.push(content.length)
          return rangesOf(content)
        },
        release: async () => {},
      }
    },
  }
}

test('archives of a layer that inflate to more than 1 GiB are unreadable, as are all after them', async () => {
  const examiner = new FileExaminer(memorySink())
  const found: (Examined['jar'] | 'read')[] = []
  for (const content of [GOOD, BOMB, BOMB, BOMB, BOMB, BOMB, GOOD]) {
    const jar = await examine(examiner, 'a.jar', content)
    found.push(jar === 'unreadable' ? jar : 'read')
  }
  expect(found).toEqual(['read', 'read', 'read', 'read', 'read', 'unreadable', 'unreadable'])
})

test('large archives leave room for four times their own bytes', async () => {
  const put: number[] = []
  const examiner = new FileExaminer(memorySink(put))
  const large = zipOf({}, { stored: { 'a.class': new Uint8Array(64 * MEBIBYTE) } })
  examiner.open('large.jar', large.length)
  for (let at = 0; at < large.length; at += HELD_BYTES)
    await examiner.write(large.subarray(at, at + HELD_BYTES))
  expect((await examiner.close())?.jar).toEqual({ artifacts: [], inner: [] })
  const found = []
  for (let i = 0; i < 6; i++) found.push(await examine(examiner, 'bomb.jar', BOMB))
  expect(found.map((jar) => jar === 'unreadable')).toEqual([false, false, false, false, false, true])
  expect(put).toEqual([large.length])
})
