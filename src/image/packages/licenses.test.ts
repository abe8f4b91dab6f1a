import { expect, it } from 'vitest'
import { pieces } from '../../../test/support/findings.ts'
import { readApkInstalled } from './apk.ts'
import { readComposerInstalled } from './composer.ts'
import type { Finding } from './found.ts'
import { parsePackageJson } from './npm.ts'
import { readCoreMetadata } from './pypi.ts'

async function licensesIn(findings: AsyncIterable<Finding>): Promise<(string | undefined)[]> {
  const all = await Array.fromAsync(findings)
  return all.flatMap((finding) => (finding.kind === 'package' ? [finding.found.license] : []))
}

const npm = (document: object) =>
  parsePackageJson(
    new TextEncoder().encode(JSON.stringify({ name: 'a', version: '1', ...document })),
    'a\0package.json',
  )?.license

it('apk states one in a field', async () => {
  const text = 'P:musl\nV:1.2.5-r9\nA:x86_64\nL:MIT\nF:lib\nR:ld.so\n\nP:bare\nV:1\n\n'
  expect(await licensesIn(readApkInstalled(pieces(text)))).toEqual(['MIT', undefined])
})

it.each([
  [{ license: 'MIT' }, 'MIT'],
  [{ license: { type: 'BSD-3-Clause', url: 'x' } }, 'BSD-3-Clause'],
  [{ licenses: [{ type: 'MIT' }, { type: 'Apache-2.0' }] }, 'MIT OR Apache-2.0'],
  [{ license: 7 }, undefined],
  [{ license: 'x'.repeat(1000) }, undefined],
  [{}, undefined],
])('npm states it in package.json: %j', (document, license) => {
  expect(npm(document)).toBe(license)
})

it.each([
  ['Name: a\nVersion: 1\nLicense: BSD\nLicense-Expression: BSD-3-Clause\n\nText', 'BSD-3-Clause'],
  ['License: Apache 2.0\nName: a\nVersion: 1', 'Apache 2.0'],
  ['Name: a\nVersion: 1\n\nLicense: of the description', undefined],
])('Python states it in the headers: %j', async (text, license) => {
  expect(await licensesIn(readCoreMetadata(pieces(text)))).toEqual([license])
})

it('composer states alternatives', async () => {
  const text = JSON.stringify({ packages: [{ name: 'a/b', version: '1', license: ['MIT', 'GPL-2.0-only'] }] })
  expect(await licensesIn(readComposerInstalled(pieces(text)))).toEqual(['MIT OR GPL-2.0-only'])
})
