/**
 * Variants of an architecture: which spellings are equal, and which variants run on which, as in containerd's
 * `platforms.Only`. Source: containerd/platforms `database.go` and `compare.go`.
 */

/** `v8` of arm64 and `v1` of amd64 are `''`; arm without one is `v7`. */
export function normaliseVariant(architecture: string, variant: string): string {
  const numbered = /^\d/.test(variant) ? `v${variant}` : variant
  switch (architecture) {
    case 'amd64':
      return numbered === 'v1' ? '' : numbered
    case 'arm64':
      return numbered === 'v8' || numbered === 'v8.0' ? '' : numbered.replace(/\.0$/, '')
    case 'arm':
      return numbered === '' ? 'v7' : numbered
    default:
      return variant
  }
}

/** `v5`, `v4`, `v3` for 5 and 3. */
function countDown(from: number, to: number): string[] {
  return Array.from({ length: Math.max(0, from - to + 1) }, (_, i) => `v${from - i}`)
}

/** `v8.3`, `v8.2`, `v8.1` for `v8` and 3. */
function countDownMinor(major: string, from: number): string[] {
  return Array.from({ length: from }, (_, i) => `${major}.${from - i}`)
}

/** Armv9.N has all of Armv8.(N+5). Source: Arm Architecture Reference Manual, section A2.2. */
function arm64Fallbacks(variant: string): string[] {
  const [, major, minor = '0'] = /^v([89])(?:\.(\d))?$/.exec(variant) ?? []
  if (major === undefined) return [variant]
  if (major === '8') return [...countDownMinor('v8', Number(minor)), '']
  const below = countDownMinor('v8', Math.min(9, Number(minor) + 5))
  return [...countDownMinor('v9', Number(minor)), 'v9', ...below, '']
}

/**
 * The variants of the same architecture that run on `variant`, best first.
 *
 * @param variant normalised
 */
export function fallbackVariants(architecture: string, variant: string): readonly string[] {
  const number = /^v(\d{1,2})$/.exec(variant)?.[1]
  switch (architecture) {
    case 'amd64':
      return number === undefined ? [variant] : [...countDown(Number(number), 2), '']
    case 'arm':
      return number === undefined ? [variant] : [variant, ...countDown(Number(number) - 1, 5)]
    case 'arm64':
      return variant === '' ? [''] : arm64Fallbacks(variant)
    default:
      return [variant]
  }
}
