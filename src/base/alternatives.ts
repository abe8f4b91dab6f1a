/** Which tags are other variants of the same version: `3.13`, `3.13-slim`, `3.13-alpine`. */
import naturalCompare from 'natural-compare'

const UNFINISHED = /^(?:rc|alpha|beta|nightly|dev|preview|canary|edge)\d*(?:[.-]|$)/i

function versionOf(tag: string): string {
  const dash = tag.indexOf('-')
  return dash < 0 ? tag : tag.slice(0, dash)
}

/** `latest` is no version. */
export function hasVariants(tag: string): boolean {
  return versionOf(tag) !== 'latest'
}

/** Fewest parts first, then in natural order; none that is not released. */
export function variantsOf(tag: string, tags: readonly string[]): readonly string[] {
  const version = versionOf(tag)
  if (version === 'latest') return []
  const others = new Set(tags.filter((other) => other !== tag && versionOf(other) === version))
  return [...others].filter((other) => !UNFINISHED.test(other.slice(version.length + 1))).sort(byParts)
}

function byParts(a: string, b: string): number {
  return a.split('-').length - b.split('-').length || naturalCompare(a, b) || (a < b ? -1 : 1)
}
