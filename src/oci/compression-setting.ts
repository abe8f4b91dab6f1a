/** How a layer can be compressed: a format and a level, as `zstd:3`. */

export type CompressionSetting = `zstd:${number}` | `gzip:${number}`

/** What is measured if nothing else is asked for. */
export const DEFAULT_SETTING: CompressionSetting = 'zstd:3'

export type EncoderSetting = { readonly format: 'zstd' | 'gzip'; readonly level: number }

/** Higher levels of zstd need more memory to decompress than clients allow by default. */
const LEVELS = { zstd: 19, gzip: 9 } as const

const SETTING = /^(zstd|gzip):([1-9]\d?)$/

/** Accepts `zstd:1` to `zstd:19` and `gzip:1` to `gzip:9`; undefined for anything else. */
export function parseSetting(text: string): EncoderSetting | undefined {
  const [, name, digits] = SETTING.exec(text) ?? []
  if (name !== 'zstd' && name !== 'gzip') return undefined
  const level = Number(digits)
  return level <= LEVELS[name] ? { format: name, level } : undefined
}

export function isSetting(text: string): text is CompressionSetting {
  return parseSetting(text) !== undefined
}
