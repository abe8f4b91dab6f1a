/** The caches of package managers: where they are, and how a Dockerfile leaves none. */
import { decodeText } from '../text/bytes.ts'
import { keyToPath, type PathKey } from '../text/path.ts'

export type Cache = {
  readonly manager: string
  /** Globs that `Selector` reads. */
  readonly directories: readonly string[]
  /** A command that leaves no cache, as written in a RUN. */
  readonly clean: string
  /** Whether a mount for one of the directories is no use without the others. */
  readonly needsAll?: true
}

export const CACHES: readonly Cache[] = [
  {
    manager: 'apt',
    directories: ['var/lib/apt/lists', 'var/cache/apt'],
    clean:
      'apt-get update && apt-get install -y --no-install-recommends … && rm -rf /var/lib/apt/lists/* /var/cache/apt/*',
    needsAll: true,
  },
  {
    manager: 'apk',
    directories: ['var/cache/apk', 'etc/apk/cache'],
    clean: 'apk add --no-cache …',
  },
  {
    manager: 'dnf',
    directories: ['var/cache/dnf', 'var/cache/yum', 'var/cache/libdnf5'],
    clean: 'dnf install -y … && dnf clean all && rm -rf /var/cache/dnf /var/cache/yum /var/cache/libdnf5',
  },
  {
    manager: 'pip',
    directories: ['**/.cache/pip'],
    clean: 'pip install --no-cache-dir …',
  },
  {
    manager: 'npm',
    directories: ['**/.npm/_cacache'],
    clean: 'npm ci && npm cache clean --force',
  },
  {
    manager: 'yarn',
    directories: ['**/.cache/yarn', 'usr/local/share/.cache'],
    clean: 'yarn install --frozen-lockfile && yarn cache clean',
  },
  {
    manager: 'pnpm',
    directories: ['**/.local/share/pnpm/store'],
    clean: 'pnpm install --frozen-lockfile && rm -rf "$(pnpm store path)"',
  },
  {
    manager: 'go',
    directories: ['**/.cache/go-build', '**/go/pkg/mod/cache'],
    clean: 'go build … && go clean -cache -modcache',
  },
  {
    manager: 'cargo',
    directories: ['**/.cargo/registry'],
    clean: 'cargo build --release && rm -rf "$CARGO_HOME/registry"',
  },
  {
    manager: 'maven',
    directories: ['**/.m2/repository'],
    clean: 'mvn package && rm -rf ~/.m2/repository',
  },
  {
    manager: 'gradle',
    directories: ['**/.gradle/caches'],
    clean: 'gradle build --no-daemon && rm -rf ~/.gradle/caches',
  },
  {
    manager: 'composer',
    directories: ['**/.composer/cache', '**/.cache/composer'],
    clean: 'composer install --no-dev --no-cache',
  },
  {
    manager: 'gem',
    directories: ['**/.gem/cache', 'usr/local/bundle/cache'],
    clean: 'bundle install && rm -rf /usr/local/bundle/cache ~/.gem/cache',
  },
  {
    manager: 'conda',
    directories: ['**/conda/pkgs', '**/miniconda3/pkgs'],
    clean: 'conda install -y … && conda clean -afy',
  },
  {
    manager: 'uv',
    directories: ['**/.cache/uv'],
    clean: 'uv sync --no-cache',
  },
  {
    manager: 'pacman',
    directories: ['var/cache/pacman/pkg'],
    clean: 'pacman -S --noconfirm … && rm -rf /var/cache/pacman/pkg/*',
  },
]

/** A longer list of mounts says no more. */
const MAX_MOUNTS = 3

/** Where a `RUN --mount=type=cache` keeps these files out of the layer: the directories of the cache that they are in. */
export function mountsOf({ directories, needsAll }: Cache, files: readonly PathKey[]): readonly string[] {
  if (needsAll) return directories.map((directory) => `/${directory}`)
  const hit = files.flatMap((file) => directories.flatMap((directory) => directoryOf(file, directory) ?? []))
  const mounts = [...new Set(hit)].slice(0, MAX_MOUNTS)
  return mounts.length > 0 ? mounts : [`/${(directories[0] ?? '').replace('**/', 'root/')}`]
}

/** The directory that a glob means for a file; undefined if the file is elsewhere, or the name cannot stand in a command. */
function directoryOf(file: PathKey, glob: string): string | undefined {
  const path = decodeText(keyToPath(file)).text
  const name = glob.replace('**/', '')
  const start = glob.startsWith('**/')
    ? `/${path}`.indexOf(`/${name}/`)
    : path.startsWith(`${name}/`)
      ? 0
      : -1
  if (start < 0) return undefined
  const directory = `/${path.slice(0, start + name.length)}`
  return /^[\w.@/+-]{1,120}$/.test(directory) ? directory : undefined
}
