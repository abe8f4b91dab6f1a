import { expect, it } from 'vitest'
import { formatPurl, purlOf } from './purl.ts'

it.each([
  [
    purlOf({ type: 'deb', name: 'libc6', version: '2.41-12+deb13u5', architecture: 'amd64' }),
    'pkg:deb/debian/libc6@2.41-12%2Bdeb13u5?arch=amd64',
  ],
  [
    purlOf(
      { type: 'deb', name: 'vim', version: '2:9.1', architecture: 'all' },
      { id: 'ubuntu', version: '24.04' },
    ),
    'pkg:deb/ubuntu/vim@2:9.1?arch=all&distro=ubuntu-24.04',
  ],
  [
    purlOf({ type: 'apk', name: 'musl', version: '1.2.5-r9', architecture: 'x86_64' }),
    'pkg:apk/alpine/musl@1.2.5-r9?arch=x86_64',
  ],
  [
    purlOf(
      { type: 'rpm', name: 'bash', version: '2:5.2.26-3.fc40', architecture: 'x86_64' },
      { id: 'fedora', version: '40' },
    ),
    'pkg:rpm/fedora/bash@5.2.26-3.fc40?arch=x86_64&distro=fedora-40&epoch=2',
  ],
  [purlOf({ type: 'rpm', name: 'bash', version: '5.2-1' }), 'pkg:rpm/bash@5.2-1'],
  [purlOf({ type: 'npm', name: '@babel/core', version: '7.0.0' }), 'pkg:npm/%40babel/core@7.0.0'],
  [purlOf({ type: 'npm', name: 'left-pad', version: '' }), 'pkg:npm/left-pad'],
  [purlOf({ type: 'pypi', name: 'Typing_Extensions', version: '4.12' }), 'pkg:pypi/typing-extensions@4.12'],
  [
    purlOf(
      { type: 'deb', name: 'libstdc++6', version: '14.2.0-19', architecture: 'amd64' },
      { id: 'debian' },
    ),
    'pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64',
  ],
  [purlOf({ type: 'gem', name: 'a', version: "1(!*')" }), 'pkg:gem/a@1%28%21%2A%27%29'],
  [
    formatPurl({
      type: 'oci',
      name: 'app',
      version: 'sha256:ab',
      qualifiers: { repository_url: 'registry.example:5000/o/app', arch: 'amd64' },
    }),
    'pkg:oci/app@sha256:ab?arch=amd64&repository_url=registry.example:5000%2Fo%2Fapp',
  ],
])('%s', (purl, expected) => {
  expect(purl).toBe(expected)
})

it('reports names that no package may have', () => {
  expect(purlOf({ type: 'npm', name: '\ud800 <b>', version: '1/2' })).toMatch(/^pkg:npm\/[%\w.~-]+@[%\w.]+$/)
})
