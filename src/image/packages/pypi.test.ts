import { expect, it } from 'vitest'
import { keyToPath, pathToKey } from '../../text/path.ts'
import { parseCoreMetadata, parseInstalledFiles, parseRecord } from './pypi.ts'

it('reads name and version from the headers alone', () => {
  const metadata =
    'Metadata-Version: 2.1\r\nName: Flask\r\nVersion: 3.0.3\r\nSummary: x\r\n\r\nName: not-this\r\n'
  expect(parseCoreMetadata(Buffer.from(metadata))).toEqual({ type: 'pypi', name: 'Flask', version: '3.0.3' })
  expect(parseCoreMetadata(Buffer.from('Metadata-Version: 2.1\n\nName: a\nVersion: 1\n'))).toBeUndefined()
})

it('reads the paths of a RECORD from where the package is', () => {
  const record = `../../../bin/flask,sha256:abc,230
flask/__init__.py,sha256=x,2625
"odd, ""quoted"" name.py",sha256=y,1
/etc/absolute,,
flask-3.0.3.dist-info/RECORD,,
`
  const key = pathToKey('usr/lib/python3/site-packages/flask-3.0.3.dist-info/RECORD')
  expect([...parseRecord(Buffer.from(record), key)].map(keyToPath)).toEqual([
    'usr/bin/flask',
    'usr/lib/python3/site-packages/flask/__init__.py',
    'usr/lib/python3/site-packages/odd, "quoted" name.py',
    'etc/absolute',
    'usr/lib/python3/site-packages/flask-3.0.3.dist-info/RECORD',
  ])
})

it('reads the paths of installed-files.txt from where it is', () => {
  const key = pathToKey('usr/lib/six.egg-info/installed-files.txt')
  expect([...parseInstalledFiles(Buffer.from('../six.py\nPKG-INFO\n'), key)].map(keyToPath)).toEqual([
    'usr/lib/six.py',
    'usr/lib/six.egg-info/PKG-INFO',
  ])
})
