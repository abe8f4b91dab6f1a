import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { STYLES } from '../badge/badge.ts'
import { METRIC_NAMES } from '../badge/metric.ts'
import type { ImageIdentity } from '../image/report.ts'
import { adopted, gateLine } from './adopt.ts'

const image = (reference: string, indexDigest?: string): ImageIdentity => ({
  reference,
  transport: 'docker',
  digest: `sha256:${'a'.repeat(64)}`,
  id: `sha256:${'c'.repeat(64)}`,
  ...(indexDigest && { indexDigest }),
  platform: 'linux/arm64',
  mediaType: '',
  os: 'linux',
  architecture: 'arm64',
})
const none = { bytes: 0, files: 0 }
const report = (identity: ImageIdentity, compressedBytes: number, wasted = 0) => ({
  image: identity,
  size: {
    compressedBytes,
    uncompressedBytes: 0,
    fileBytes: 1000,
    rootfsBytes: 0,
    apparentBytes: 0,
    stored: 'compressed' as const,
  },
  waste: { bytes: wasted, files: 1, removed: none, replaced: none, metadataOnly: none },
})

it('fills in the gate command: the size plus a tenth, in whole megabytes, and the waste', () => {
  const nginx = report(image('docker.io/library/nginx:1.27'), 72_000_000, 431)
  expect(gateLine(nginx, 'https://lamina.example')).toBe(
    "curl -sS --fail-with-body --retry 20 --retry-max-time 1800 -G 'https://lamina.example/v1/check' " +
      "--data-urlencode 'image=docker.io/library/nginx:1.27' -d maxCompressed=80MB -d maxWastedPercent=44 -d format=text",
  )
  const ofIndex = report(image('nginx', `sha256:${'d'.repeat(64)}`), 1)
  expect(gateLine(ofIndex, 'https://lamina.example')).toContain("-d 'platform=linux/arm64'")
})

it('limits the uncompressed size of a local build, since what a pull takes is unknown', () => {
  const built = report({ ...image('docker-daemon:app'), transport: 'docker-daemon' }, 72_000_000)
  const size = { ...built.size, uncompressedBytes: 99_000_000, stored: 'uncompressed' as const }
  expect(gateLine({ ...built, size }, 'http://x')).toContain(' -d maxSize=109MB ')
})

it('any reference stays one shell word', () => {
  const reference = `a'; echo "$(id)" #\``
  const words = execFileSync('sh', [
    '-c',
    `curl() { printf '%s\\n' "$@"; }; ${gateLine(report(image(reference), 1), 'http://x')}`,
  ])
  expect(words.toString().split('\n')).toContain(`image=${reference}`)
})

it('offers each metric and each style of a badge', () => {
  const page = String(adopted(report(image('nginx'), 1), 'http://x'))
  const options = [...page.matchAll(/<option value="[^"]*">/g)].map(([tag]) => tag.slice(15, -2))
  expect(options).toEqual([...METRIC_NAMES, ...STYLES.map((style) => (style === 'flat' ? '' : style))])
})
