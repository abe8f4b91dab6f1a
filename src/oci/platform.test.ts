import { describe, expect, it } from 'vitest'
import { formatPlatform, parsePlatform, rankPlatform } from './platform.ts'

describe('the name of a platform', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/x86_64', 'linux/amd64'],
    ['Linux/AMD64', 'linux/amd64'],
    ['linux/arm64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v9', 'linux/arm64/v9'],
    ['linux/arm64/v9.0', 'linux/arm64/v9'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/7', 'linux/arm/v7'],
    ['linux/arm/v6', 'linux/arm/v6'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/i386', 'linux/386'],
    ['macos/arm64', 'darwin/arm64'],
    ['windows/amd64', 'windows/amd64'],
    ['linux/riscv64/rva23', 'linux/riscv64/rva23'],
  ])('%s is %s', (text, normal) => {
    expect(formatPlatform(parsePlatform(text))).toBe(normal)
  })

  it.each(['', 'linux', 'amd64', 'linux/', '/amd64', 'linux/arm/v7/x', 'linux/a b', 'linux/amd64\n', '*/*'])(
    '%j is not a platform',
    (text) => {
      expect(() => parsePlatform(text)).toThrow(
        expect.objectContaining({ code: 'invalid_parameter', fields: { parameter: 'platform' } }),
      )
    },
  )
})

describe('falls back to lower variants', () => {
  const accepted = (asked: string, offered: readonly string[]) =>
    offered
      .flatMap((text) => {
        const rank = rankPlatform(parsePlatform(asked), parsePlatform(text))
        return rank === undefined ? [] : [{ text, rank }]
      })
      .sort((a, b) => a.rank - b.rank)
      .map(({ text }) => text)

  const OFFERED = [
    'linux/386',
    'linux/amd64',
    'linux/amd64/v2',
    'linux/amd64/v3',
    'linux/amd64/v4',
    'linux/arm/v5',
    'linux/arm/v6',
    'linux/arm/v7',
    'linux/arm/v8',
    'linux/arm64',
    'linux/arm64/v8.5',
    'linux/arm64/v9',
    'windows/amd64',
  ]

  it.each([
    ['linux/amd64', ['linux/amd64']],
    ['linux/amd64/v3', ['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64']],
    ['linux/arm', ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm/v6', ['linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm/v5', ['linux/arm/v5']],
    ['linux/arm64', ['linux/arm64']],
    ['linux/arm64/v8', ['linux/arm64']],
    ['linux/arm64/v9', ['linux/arm64/v9', 'linux/arm64/v8.5', 'linux/arm64']],
    ['linux/arm64/v8.6', ['linux/arm64/v8.5', 'linux/arm64']],
    ['linux/386', ['linux/386']],
    ['windows/amd64', ['windows/amd64']],
    ['freebsd/amd64', []],
  ])('%s does not fall back to another architecture: %s', (asked, variants) => {
    expect(accepted(asked, OFFERED)).toEqual(variants)
  })
})
