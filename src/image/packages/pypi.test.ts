import { expect, it } from 'vitest'
import { gather, pieces } from '../../../test/support/findings.ts'
import { pathToKey } from '../../text/path.ts'
import { readCoreMetadata, readInstalledFiles, readRecord } from './pypi.ts'

async function metadata(text: string, size?: number) {
  return (await gather(readCoreMetadata(pieces(text, size)))).packages
}

it('reads name and version from the headers alone', async () => {
  const text =
    'Metadata-Version: 2.1\r\nname: \t Flask \r\nVersion: 3.0.3\r\nSummary: x\r\n\r\nName: not-this\r\n'
  expect(await metadata(text)).toEqual([{ type: 'pypi', name: 'Flask', version: '3.0.3' }])
  expect(await metadata('Metadata-Version: 2.1\n\nName: a\nVersion: 1\n')).toEqual([])
  expect(await metadata('Name:\nVersion: 1\n')).toEqual([])
})

it('reads lines of blanks in a single pass', { timeout: 60_000 }, async () => {
  expect(await metadata(`Name:${' '.repeat(1_000_000)}\rx\nVersion: 1\n`, 10_000)).toEqual([])
  // The longest line allowed: a backtracking pattern takes seconds for each, and minutes for all.
  const line = `Name:a${' '.repeat(60_000)}b\n`
  for (let i = 0; i < 100; i++) expect(await metadata(line)).toEqual([])
})

it("reads the paths of a RECORD relative to the package's folder", async () => {
  const record = `../../../bin/flask,sha256:abc,230
flask/__init__.py,sha256=x,2625
"odd, ""quoted"" name.py",sha256=y,1
/etc/absolute,,
flask-3.0.3.dist-info/RECORD,,
"unclosed
`
  const key = pathToKey('usr/lib/python3/site-packages/flask-3.0.3.dist-info/RECORD')
  expect((await gather(readRecord(pieces(record), key))).files).toEqual({
    '': [
      'usr/bin/flask',
      'usr/lib/python3/site-packages/flask/__init__.py',
      'usr/lib/python3/site-packages/odd, "quoted" name.py',
      'etc/absolute',
      'usr/lib/python3/site-packages/flask-3.0.3.dist-info/RECORD',
    ],
  })
})

it('reads a RECORD whose quote is never closed', async () => {
  const record = ['"', ...new Array<string>(100).fill('a'.repeat(100_000)), '""'.repeat(50_000)]
  const key = pathToKey('a.dist-info/RECORD')
  const read = gather(
    readRecord(
      record.map((piece) => Buffer.from(piece)),
      key,
    ),
  )
  expect(await read).toEqual({ packages: [], files: {} })
})

it('reads the paths of installed-files.txt relative to its folder', async () => {
  const key = pathToKey('usr/lib/six.egg-info/installed-files.txt')
  const { files } = await gather(readInstalledFiles(pieces('../six.py\nPKG-INFO\n'), key))
  expect(files).toEqual({ '': ['usr/lib/six.py', 'usr/lib/six.egg-info/PKG-INFO'] })
})
