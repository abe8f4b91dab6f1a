import { expect, it } from 'vitest'
import { formatPurl, type Parts, purlOf } from './purl.ts'

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

/** The components of packages, and the canonical form that the specification's tests expect of them. */
const SPECIFIED: readonly (readonly [Omit<Parts, 'version'> & { version?: string }, string])[] = [
  [
    { type: 'alpm', namespace: 'arch', name: 'pacman', version: '6.0.1-1', qualifiers: { arch: 'x86_64' } },
    'pkg:alpm/arch/pacman@6.0.1-1?arch=x86_64',
  ],
  [
    {
      type: 'alpm',
      namespace: 'arch',
      name: 'containers-common',
      version: '1:0.47.4-4',
      qualifiers: { arch: 'x86_64' },
    },
    'pkg:alpm/arch/containers-common@1:0.47.4-4?arch=x86_64',
  ],
  [
    { type: 'apk', namespace: 'alpine', name: 'curl', version: '7.83.0-r0', qualifiers: { arch: 'x86' } },
    'pkg:apk/alpine/curl@7.83.0-r0?arch=x86',
  ],
  [
    { type: 'composer', namespace: 'Laravel', name: 'Laravel', version: '5.5.0' },
    'pkg:composer/laravel/laravel@5.5.0',
  ],
  [
    {
      type: 'conda',
      name: 'absl-py',
      version: '0.4.1',
      qualifiers: { type: 'tar.bz2', channel: 'main', subdir: 'linux-64', build: 'py36h06a4308_0' },
    },
    'pkg:conda/absl-py@0.4.1?build=py36h06a4308_0&channel=main&subdir=linux-64&type=tar.bz2',
  ],
  [
    {
      type: 'deb',
      namespace: 'debian',
      name: 'curl',
      version: '7.50.3-1',
      qualifiers: { distro: 'jessie', arch: 'i386' },
    },
    'pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie',
  ],
  [
    {
      type: 'deb',
      namespace: 'debian',
      name: 'attr',
      version: '1:2.4.47-2+b1',
      qualifiers: { arch: 'amd64' },
    },
    'pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64',
  ],
  [
    {
      type: 'generic',
      name: 'openssl',
      version: '1.1.10g',
      qualifiers: { checksum: 'sha1:ad9503c3e994a4f,sha256:41bf9088b3a1e6c1ef1d' },
    },
    'pkg:generic/openssl@1.1.10g?checksum=sha1:ad9503c3e994a4f%2Csha256:41bf9088b3a1e6c1ef1d',
  ],
  [
    { type: 'golang', namespace: 'github.com/gorilla', name: 'context', version: '234fd47e07d1004f0aed9c' },
    'pkg:golang/github.com/gorilla/context@234fd47e07d1004f0aed9c',
  ],
  [
    { type: 'maven', namespace: 'org.apache.commons', name: 'io', version: '1.3.4' },
    'pkg:maven/org.apache.commons/io@1.3.4',
  ],
  [{ type: 'maven', namespace: 'org.apache.commons', name: 'io' }, 'pkg:maven/org.apache.commons/io'],
  [
    { type: 'npm', namespace: '@angular', name: 'animation', version: '12.3.1' },
    'pkg:npm/%40angular/animation@12.3.1',
  ],
  [
    {
      type: 'oci',
      name: 'debian',
      version: 'sha256:244fd47e07d10',
      qualifiers: { tag: 'latest', repository_url: 'docker.io/library/debian', arch: 'amd64' },
    },
    'pkg:oci/debian@sha256:244fd47e07d10?arch=amd64&repository_url=docker.io%2Flibrary%2Fdebian&tag=latest',
  ],
  [{ type: 'pypi', name: 'Django_package', version: '1.11.1.dev1' }, 'pkg:pypi/django-package@1.11.1.dev1'],
  [
    {
      type: 'rpm',
      namespace: 'fedora',
      name: 'curl',
      version: '7.50.3-1.fc25',
      qualifiers: { distro: 'fedora-25', arch: 'i386' },
    },
    'pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25',
  ],
  [
    {
      type: 'rpm',
      name: 'centerim',
      version: '4.22.10-1.el6',
      qualifiers: { epoch: '1', distro: 'fedora-25', arch: 'i686' },
    },
    'pkg:rpm/centerim@4.22.10-1.el6?arch=i686&distro=fedora-25&epoch=1',
  ],
]

it.each(SPECIFIED)('%o is %s', ({ version = '', ...parts }, expected) => {
  expect(formatPurl({ ...parts, version })).toBe(expected)
})

it('reports names that no package may have', () => {
  expect(purlOf({ type: 'npm', name: '\ud800 <b>', version: '1/2' })).toMatch(/^pkg:npm\/[%\w.~-]+@[%\w.]+$/)
})
