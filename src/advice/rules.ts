/**
 * The rules of advice, one entry each: what a rule is about, which files it selects and how they are split into items, how
 * bad it is, and how a Dockerfile avoids it. A new rule is a new entry.
 */
import type { Severity } from '../gate/tables.ts'
import type { WasteReason } from '../image/report.ts'
import type { Selector } from './select.ts'
import { type BuildStep, instructionOf, optionOf } from './step.ts'

/** What is known when a fix is written. */
export type Found = {
  readonly layer: number | undefined
  readonly byLayer: number | undefined
  /** The step of the layer that stores the files, if the history tells. */
  readonly step: BuildStep | undefined
  /** The step of the layer that hides them. */
  readonly byStep: BuildStep | undefined
  /** How to avoid the package manager's cache that the largest file belongs to. */
  readonly cache: Cache | undefined
}

type Common = {
  readonly rule: string
  readonly severity: Severity
}

/** A few words, and one or two sentences that name the means of a Dockerfile. */
type Told = {
  readonly title: string
  readonly fix: (found: Found) => string
}

/** Files that a layer stores and a later one hides: an item for each such pair of layers. */
export type WasteRule = Common & Told & { readonly selects: 'waste'; readonly reason: WasteReason }

/** Files selected by name: those that the image shows, or all that its layers store. An item for each of `items`. */
export type PathRule = Common & {
  readonly selects: 'shown' | 'stored'
  readonly items: readonly (Told & Selector & { readonly kind?: string })[]
}

/** One item for all. */
export type OtherRule = Common & Told & { readonly selects: 'buildTools' | 'duplicates' }

export type AdviceRule = WasteRule | PathRule | OtherRule

type Cache = {
  readonly manager: string
  readonly directories: readonly string[]
  /** A command that leaves no cache, as written in a RUN. */
  readonly clean: string
  /** The directory for a cache mount. */
  readonly mount: string
}

/** The caches of package managers. */
export const CACHES: readonly Cache[] = [
  {
    manager: 'apt',
    directories: ['var/lib/apt/lists', 'var/cache/apt'],
    clean:
      'apt-get update && apt-get install -y --no-install-recommends … && rm -rf /var/lib/apt/lists/* /var/cache/apt/*',
    mount: '/var/cache/apt',
  },
  {
    manager: 'apk',
    directories: ['var/cache/apk', 'etc/apk/cache'],
    clean: 'apk add --no-cache …',
    mount: '/var/cache/apk',
  },
  {
    manager: 'dnf',
    directories: ['var/cache/dnf', 'var/cache/yum', 'var/cache/libdnf5'],
    clean: 'dnf install -y … && dnf clean all && rm -rf /var/cache/dnf /var/cache/yum /var/cache/libdnf5',
    mount: '/var/cache/libdnf5',
  },
  {
    manager: 'pip',
    directories: ['**/.cache/pip'],
    clean: 'pip install --no-cache-dir …',
    mount: '/root/.cache/pip',
  },
  {
    manager: 'npm',
    directories: ['**/.npm/_cacache'],
    clean: 'npm ci && npm cache clean --force',
    mount: '/root/.npm',
  },
  {
    manager: 'yarn',
    directories: ['**/.cache/yarn', 'usr/local/share/.cache'],
    clean: 'yarn install --frozen-lockfile && yarn cache clean',
    mount: '/usr/local/share/.cache',
  },
  {
    manager: 'pnpm',
    directories: ['**/.local/share/pnpm/store'],
    clean: 'pnpm install --frozen-lockfile && rm -rf "$(pnpm store path)"',
    mount: '/root/.local/share/pnpm/store',
  },
  {
    manager: 'go',
    directories: ['**/.cache/go-build', '**/go/pkg/mod/cache'],
    clean: 'go build … && go clean -cache -modcache',
    mount: '/root/.cache/go-build',
  },
  {
    manager: 'cargo',
    directories: ['**/.cargo/registry'],
    clean: 'cargo build --release && rm -rf "$CARGO_HOME/registry"',
    mount: '/usr/local/cargo/registry',
  },
  {
    manager: 'maven',
    directories: ['**/.m2/repository'],
    clean: 'mvn package && rm -rf ~/.m2/repository',
    mount: '/root/.m2',
  },
  {
    manager: 'gradle',
    directories: ['**/.gradle/caches'],
    clean: 'gradle build --no-daemon && rm -rf ~/.gradle/caches',
    mount: '/root/.gradle/caches',
  },
  {
    manager: 'composer',
    directories: ['**/.composer/cache', '**/.cache/composer'],
    clean: 'composer install --no-dev --no-cache',
    mount: '/root/.cache/composer',
  },
  {
    manager: 'gem',
    directories: ['**/.gem/cache', 'usr/local/bundle/cache'],
    clean: 'bundle install && rm -rf /usr/local/bundle/cache ~/.gem/cache',
    mount: '/usr/local/bundle/cache',
  },
  {
    manager: 'conda',
    directories: ['**/conda/pkgs', '**/miniconda3/pkgs'],
    clean: 'conda install -y … && conda clean -afy',
    mount: '/opt/conda/pkgs',
  },
  {
    manager: 'uv',
    directories: ['**/.cache/uv'],
    clean: 'uv sync --no-cache',
    mount: '/root/.cache/uv',
  },
  {
    manager: 'pacman',
    directories: ['var/cache/pacman/pkg'],
    clean: 'pacman -S --noconfirm … && rm -rf /var/cache/pacman/pkg/*',
    mount: '/var/cache/pacman/pkg',
  },
]

/** What a build context has and no container needs. Each glob names a file, or a directory with everything below it. */
const CONTEXT: readonly {
  readonly kind: string
  readonly title: string
  readonly globs: readonly string[]
}[] = [
  { kind: 'git', title: 'Version control', globs: ['**/.git', '**/.svn', '**/.hg'] },
  { kind: 'editor', title: "An editor's files", globs: ['**/.vscode', '**/.idea', '**/.DS_Store'] },
  { kind: 'ci', title: "A CI's configuration", globs: ['**/.github', '**/.gitlab-ci.yml', '**/.circleci'] },
  {
    kind: 'docker',
    title: 'Dockerfiles and their like',
    globs: ['**/Dockerfile', '**/.dockerignore', '**/docker-compose.yml', '**/compose.yaml'],
  },
]

const SECRETS: readonly (Selector & { readonly kind: string; readonly title: string })[] = [
  {
    kind: 'private-key',
    title: 'Files named like private keys',
    directories: ['**/.gnupg/private-keys-v1.d'],
    files: ['**/id_rsa', '**/id_dsa', '**/id_ecdsa', '**/id_ed25519', '**/*.p12', '**/*.pfx'],
  },
  {
    kind: 'credentials',
    title: 'Files named like stored logins',
    files: [
      '**/.netrc',
      '**/.pypirc',
      '**/.git-credentials',
      '**/.aws/credentials',
      '**/.docker/config.json',
      '**/.kube/config',
      '**/.npmrc',
    ],
  },
  { kind: 'environment', title: 'Files named .env', files: ['**/.env'] },
]

/** The name of a step in a sentence: `the RUN of layer 3`. */
function stepOf(layer: number | undefined, step: BuildStep | undefined, otherwise = 'the step'): string {
  const name = step === undefined ? otherwise : `the ${step.instruction}`
  return layer === undefined ? name : `${name} of layer ${layer}`
}

function isCopy(step: BuildStep | undefined): boolean {
  return step?.instruction === 'COPY' || step?.instruction === 'ADD'
}

/** How to avoid such files: at the end of the RUN that creates them, or before they are copied. */
function leave({ layer, step }: Found, command: string): string {
  return isCopy(step)
    ? `leave them out of what ${stepOf(layer, step)} copies (\`${command}\` in an earlier stage, or \`.dockerignore\`)`
    : `end ${stepOf(layer, step, 'the RUN')} with \`${command}\``
}

/** The step rewritten so that it leaves no package manager's cache. */
function rewritten({ layer, step }: Found, { clean, mount }: Cache): string {
  if (isCopy(step)) {
    return `Leave the cache out of what ${stepOf(layer, step)} copies: \`RUN ${clean}\` in the stage that creates it, or \`RUN --mount=type=cache,target=${mount}\``
  }
  return `Write ${stepOf(layer, step, 'the RUN')} as \`RUN ${clean}\`, or keep the cache out of it with \`RUN --mount=type=cache,target=${mount}\``
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}

function fixRemoved(found: Found): string {
  const { layer, step, cache } = found
  const where = stepOf(layer, step)
  if (cache !== undefined) {
    return `${rewritten(found, cache)}: what a later step removes is still stored and pulled.`
  }
  if (isCopy(step)) {
    return `Leave these files out of ${where}: name them in \`.dockerignore\`, or copy only what is needed from a second stage with \`COPY --from\`. What a later step removes is still stored and pulled.`
  }
  return `Remove the files in the RUN that creates them (${where}), or create them in a second stage: what a later step removes is still stored and pulled.`
}

function fixReplaced({ layer, byLayer, step, byStep }: Found): string {
  return `Write each file once: leave it out of ${stepOf(layer, step)}, or do the work of that step and of ${stepOf(byLayer, byStep)} in one RUN, or in a first stage whose result one COPY takes.`
}

function fixMetadata({ layer, byLayer, step, byStep }: Found): string {
  const change = byStep === undefined ? undefined : optionOf(byStep)
  const where = stepOf(byLayer, byStep)
  if (isCopy(step) && step !== undefined && change !== undefined) {
    const isSymbolic = change.option === 'chmod' && !/^[0-7]+$/.test(change.value)
    const syntax = isSymbolic ? ' A symbolic mode needs `# syntax=docker/dockerfile:1.14` or newer.' : ''
    return `Write \`${instructionOf(step, `--${change.option}=${change.value}`)}\`, and remove \`${change.command}\` from ${where}: changing a mode or an owner stores each file again.${syntax}`
  }
  if (isCopy(step)) {
    return `Give ${stepOf(layer, step)} its \`--chown\` and \`--chmod\`, and remove the change from ${where}: changing a mode or an owner stores each file again.`
  }
  return `Change owners and modes in the RUN that creates the files (${stepOf(layer, step)}), not in ${where}: a later \`chown\` or \`chmod\` stores each file again; COPY takes \`--chown\` and \`--chmod\`.`
}

export const ADVICE_RULES: readonly AdviceRule[] = [
  {
    rule: 'removed',
    severity: 'warning',
    selects: 'waste',
    reason: 'removed',
    title: 'Files that a later layer removes',
    fix: fixRemoved,
  },
  {
    rule: 'replaced',
    severity: 'warning',
    selects: 'waste',
    reason: 'replaced',
    title: 'Files that a later layer replaces',
    fix: fixReplaced,
  },
  {
    rule: 'metadata-only',
    severity: 'warning',
    selects: 'waste',
    reason: 'metadataOnly',
    title: 'Files stored again for another owner, mode or time',
    fix: fixMetadata,
  },
  {
    rule: 'package-cache',
    severity: 'warning',
    selects: 'shown',
    items: CACHES.map((cache) => ({
      kind: cache.manager,
      title: `The cache of ${cache.manager}`,
      directories: cache.directories,
      fix: (found) => `${rewritten(found, cache)}.`,
    })),
  },
  {
    rule: 'build-context',
    severity: 'warning',
    selects: 'shown',
    items: CONTEXT.map(({ kind, title, globs }) => ({
      kind,
      title: `${title} from the build context`,
      directories: globs,
      files: globs,
      fix: ({ layer, step }) => {
        const lines = globs.map((glob) => `\`${glob}\``).join(', ')
        const copy = isCopy(step) ? stepOf(layer, step) : 'COPY'
        return `Add ${lines} to \`.dockerignore\`, so that ${copy} does not copy them.`
      },
    })),
  },
  {
    rule: 'temporary',
    severity: 'warning',
    selects: 'shown',
    items: [
      {
        title: 'Temporary files',
        directories: ['tmp', 'var/tmp'],
        fix: (found) =>
          `${capital(leave(found, 'rm -rf /tmp/* /var/tmp/*'))}, or create them in a \`RUN --mount=type=tmpfs,target=/tmp\`.`,
      },
    ],
  },
  {
    rule: 'secret',
    severity: 'error',
    selects: 'stored',
    items: SECRETS.map((secret) => ({
      ...secret,
      fix: ({ layer, step }) =>
        `If these are secrets, revoke them: whoever pulls the image can read them, even if a later step removes them. Leave them out of ${stepOf(layer, step)} (\`.dockerignore\`), and give them to the RUN that needs them with \`RUN --mount=type=secret\`.`,
    })),
  },
  {
    rule: 'build-tools',
    severity: 'info',
    selects: 'buildTools',
    title: 'Compilers and headers',
    fix: () =>
      'If nothing is compiled at run time, install them in a first stage (`FROM … AS build`) and copy what was built there with `COPY --from=build`.',
  },
  {
    rule: 'docs',
    severity: 'info',
    selects: 'shown',
    items: [
      {
        title: 'Documentation and translations',
        directories: ['doc', 'man', 'info', 'locale', 'help', 'gtk-doc'].map((name) => `usr/share/${name}`),
        fix: (found) =>
          `If nobody reads them in a container, ${leave(found, 'rm -rf /usr/share/doc /usr/share/man /usr/share/locale')}, or let dpkg leave them out (\`path-exclude\`); licences in \`/usr/share/doc/*/copyright\` may have to stay.`,
      },
    ],
  },
  {
    rule: 'bytecode',
    severity: 'info',
    selects: 'shown',
    items: [
      {
        title: 'Compiled Python',
        directories: ['**/__pycache__'],
        fix: (found) =>
          `If a slower first start is acceptable, install with \`pip install --no-compile\`, or ${leave(found, 'find / -name __pycache__ -prune -exec rm -rf {} +')}.`,
      },
    ],
  },
  {
    rule: 'debug',
    severity: 'info',
    selects: 'shown',
    items: [
      {
        title: 'Debugging symbols and source maps',
        directories: ['usr/lib/debug'],
        files: ['**/*.debug', '**/*.map', '**/*.pdb'],
        fix: () =>
          'If nobody debugs in the container, strip binaries and drop source maps in the stage that builds, and COPY the rest.',
      },
    ],
  },
  {
    rule: 'static-libraries',
    severity: 'info',
    selects: 'shown',
    items: [
      {
        title: 'Static libraries and headers',
        directories: ['usr/include'],
        files: ['**/*.a'],
        fix: () =>
          'If nothing at run time needs the headers or links against the archives, install the `-dev` packages in a first stage and COPY only what runs.',
      },
    ],
  },
  {
    rule: 'duplicates',
    severity: 'info',
    selects: 'duplicates',
    title: 'Copies of files with the same content',
    fix: () =>
      'If the copies may be one file, link them in the RUN that creates them (`ln`), or COPY one of them and link to it.',
  },
]
