import { expect, test } from 'vitest'
import { pieces } from '../../test/support/findings.ts'
import { pathToKey } from '../text/path.ts'
import { runtimeAt, VersionSearch } from './runtimes.ts'

/** What a file tells, read in pieces of that size. */
function told(path: string, content: string, size = 10_000): string | undefined {
  const runtime = runtimeAt(pathToKey(path))
  if (runtime === undefined) return undefined
  const search = new VersionSearch(runtime)
  for (const piece of pieces(content, size)) search.push(piece)
  search.finish()
  return search.version === undefined ? undefined : `${runtime.name} ${search.version}`
}

const RUBY = 'CONFIG["MAJOR"] = "3"\n  CONFIG["MINOR"] = "4"\n  CONFIG["TEENY"] = "7"\n'

test.each([
  ['opt/java/release', 'IMPLEMENTOR="x"\nJAVA_VERSION="21.0.9"\n', 'java 21.0.9'],
  ['opt/java/release', 'FULL_JAVA_VERSION="21.0.9"\n', undefined],
  ['usr/local/go/VERSION', 'go1.26.1\ntime 2026\n', 'go 1.26.1'],
  ['usr/local/go/VERSION', 'release go1.26.1\n', undefined],
  ['usr/bin/node', '\0node.js/v24.11.1\0', 'node 24.11.1'],
  ['usr/bin/php', 'X-Powered-By: PHP/8.5.0RC2\r\n', 'php 8.5.0RC2'],
  ['usr/sbin/nginx', 'nginx version: nginx/1.29.3\n', 'nginx 1.29.3'],
  ['usr/sbin/apache2', 'Apache/%s and Apache/2.4.65 (Unix)', 'httpd 2.4.65'],
  ['usr/bin/postgres', 'PostgreSQL 18.1 (Debian 18.1-1) on x86_64', 'postgresql 18.1'],
  ['usr/bin/postgres', 'PostgreSQL 19beta1 on aarch64', 'postgresql 19beta1'],
  ['usr/bin/postgres', 'PostgreSQL 18.1 is there', undefined],
  ['bin/busybox', 'BusyBox v1.37.0 (2025)', 'busybox 1.37.0'],
  ['usr/lib/libcrypto.so.1.1', 'OpenSSL 1.1.1w  and OpenSSL 1.1.1w 11 Sep 2023', 'openssl 1.1.1w'],
  ['usr/lib/libcurl.so.4.8.0', 'curl/8.17.0', 'curl 8.17.0'],
  ['usr/include/patchlevel.h', 'x\n#define PY_VERSION      \t"3.14.0"\n', 'python 3.14.0'],
  ['usr/lib/rbconfig.rb', RUBY, 'ruby 3.4.7'],
  ['usr/lib/perl/Config.pm', '$^V eq 5.42.0\n', 'perl 5.42.0'],
  ['usr/bin/node-gyp', 'node.js/v24.11.1', undefined],
  ['usr/bin/my-busybox', 'BusyBox v1.37.0', undefined],
])('%s with %j tells %s, however it is cut', (path, content, version) => {
  for (const size of [1, 7, 10_000]) expect(told(path, content, size)).toBe(version)
})

test('the first match counts, and a piece that ends in it does not hide it', () => {
  const content = `${'.'.repeat(3_000)}nginx version: nginx/1.2.3${'.'.repeat(900)}nginx version: nginx/4.5.6`
  for (const size of [100, 511, 512, 513, 2_999, 3_010])
    expect(told('nginx', content, size)).toBe('nginx 1.2.3')
})

test('a line begins at the start of the file or after a line end, and nowhere in between', () => {
  const define = '#define PY_VERSION "3.14.0"'
  expect(told('patchlevel.h', define)).toBe('python 3.14.0')
  for (const size of [1, 600, 10_000])
    expect(told('patchlevel.h', `${'x'.repeat(700)}${define}`, size)).toBe(undefined)
})
