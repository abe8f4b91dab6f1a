/**
 * Writes `logos.ts`: the logos that container projects use, from simple-icons (CC0), so that neither host loads all of that
 * package.
 *
 * @example node src/badge/make-logos.ts && biome check --write src/badge/logos.ts
 */
import { writeFile } from 'node:fs/promises'
import * as icons from 'simple-icons'

/** Their names on shields.io. */
const NAMES = [
  ...['docker', 'podman', 'kubernetes', 'helm', 'opencontainersinitiative', 'github', 'gitlab', 'linux'],
  ...['debian', 'ubuntu', 'alpinelinux', 'redhat', 'nodedotjs', 'python', 'go', 'rust', 'nginx'],
]

/** Name, color and path of each. */
export function chosenIcons(): readonly (readonly [name: string, color: string, path: string])[] {
  const all = Object.values(icons).flatMap((icon) => ('slug' in icon ? [icon] : []))
  return NAMES.flatMap((name) =>
    all.filter(({ slug }) => slug === name).map(({ hex, path }) => [name, `#${hex}`, path] as const),
  )
}

if (import.meta.main) {
  const entries = chosenIcons().map(
    ([name, color, path]) => `['${name}', { color: '${color}', path: '${path}' }],`,
  )
  const source = `/** Logos by their names on shields.io. Made by \`make-logos.ts\` from simple-icons. */

export type Logo = {
  /** The brand's color. */
  readonly color: string
  /** SVG path data, in a box of 24 by 24. */
  readonly path: string
}

export const LOGOS: ReadonlyMap<string, Logo> = new Map([
${entries.join('\n')}
])
`
  await writeFile(new URL('logos.ts', import.meta.url), source)
}
