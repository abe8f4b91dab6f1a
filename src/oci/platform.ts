/**
 * Names of platforms, and which platform can stand in for another: variants fall back as in containerd's
 * `platforms.Only`, but never to another architecture. Source: containerd/platforms `platforms.go`, `normalize.go`,
 * `compare.go`.
 */
import { Problem } from '../problem.ts'
import { fallbackVariants, normaliseVariant } from './variant.ts'

/** Normalised: `arm64` has no variant `v8`, `amd64` no `v1`, `arm` without a variant is `v7`. */
export type Platform = {
  readonly os: string
  readonly architecture: string
  readonly variant?: string | undefined
}

const PLATFORM = /^[A-Za-z0-9_.-]{1,32}\/[A-Za-z0-9_.-]{1,32}(?:\/[A-Za-z0-9_.-]{1,32})?$/

const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['aarch64', 'arm64'],
  ['i386', '386'],
  ['armhf', 'arm'],
  ['armel', 'arm'],
])

/** As containerd normalises it, so that `linux/aarch64/v8` is `linux/arm64`. */
export function normalisePlatform(os: string, architecture: string, variant = ''): Platform {
  const given = architecture.toLowerCase()
  const implied = given === 'armel' ? 'v6' : ''
  const known = ARCHITECTURES.get(given) ?? given
  const normal = normaliseVariant(known, variant.toLowerCase() || implied)
  return {
    os: os.toLowerCase() === 'macos' ? 'darwin' : os.toLowerCase(),
    architecture: known,
    ...(normal === '' ? {} : { variant: normal }),
  }
}

/** @throws Problem `invalid_parameter` unless it is `os/arch[/variant]` */
export function parsePlatform(text: string): Platform {
  if (!PLATFORM.test(text))
    throw new Problem(
      'invalid_parameter',
      `platform: ${JSON.stringify(text.slice(0, 80))} is not os/arch[/variant]`,
      {
        parameter: 'platform',
      },
    )
  const [os = '', architecture = '', variant] = text.split('/')
  return normalisePlatform(os, architecture, variant)
}

export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`
}

/** How well `offered` matches `asked`: 0 is best, undefined is no match. */
export function rankPlatform(asked: Platform, offered: Platform): number | undefined {
  if (asked.os !== offered.os || asked.architecture !== offered.architecture) return undefined
  const rank = fallbackVariants(asked.architecture, asked.variant ?? '').indexOf(offered.variant ?? '')
  return rank < 0 ? undefined : rank
}
