/**
 * The rules of advice, one entry each: what a rule is about, which files it selects and how they are split into items, how
 * bad it is, and how a Dockerfile avoids it. A new rule is a new entry.
 */
import type { Severity } from '../gate/tables.ts'
import type { WasteReason } from '../image/report.ts'
import { formatBytes } from '../text/format.ts'
import type { PathKey } from '../text/path.ts'
import { CACHES, type Cache, mountsOf } from './caches.ts'
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
  /** The largest files. */
  readonly files: readonly PathKey[]
  /** The package manager's cache that most of the bytes belong to. */
  readonly cache: FoundCache | undefined
  /** What a later layer changed in files that it stores again; undefined if that is not known. */
  readonly differs: readonly Difference[] | undefined
}

export type FoundCache = {
  readonly cache: Cache
  readonly files: readonly PathKey[]
  /** Bytes of other files. */
  readonly restBytes: number
}

/** What can differ in files with the same content. Extended attributes count as mode. */
export const DIFFERENCES = ['owner', 'mode', 'time'] as const
export type Difference = (typeof DIFFERENCES)[number]

type Common = {
  readonly rule: string
  readonly severity: Severity
}

/** A few words, and one or two sentences that name the means of a Dockerfile. */
type Wording = {
  readonly title: string | ((found: Found) => string)
  readonly fix: (found: Found) => string
}

/** Files that a layer stores and a later one hides: an item for each such pair of layers. */
export type WasteRule = Common & Wording & { readonly selects: 'waste'; readonly reason: WasteReason }

/** Files selected by name: those that the image shows, or all that its layers store. An item for each of `items`. */
export type PathRule = Common & {
  readonly selects: 'shown' | 'stored'
  /** Whether it is about what people wrote: what a package brought is left out. */
  readonly isOwn?: true
  readonly items: readonly (Wording & Selector & { readonly kind?: string })[]
}

/** Selected by what is inside files: one item, or for `jdk` one for each folder. */
export type OtherRule = Common &
  Wording & { readonly selects: 'buildTools' | 'duplicates' | 'symbols' | 'jdk' }

export type AdviceRule = WasteRule | PathRule | OtherRule

const SECRET_PLACES = {
  environment: 'The environment variable',
  history: 'A build step',
  label: 'The label',
} as const

/** Values of the config that look like secrets: an item for each. */
export const SECRET_VALUE = {
  rule: 'secret-value',
  severity: 'error',
  title: (kind: keyof typeof SECRET_PLACES, name: string | undefined) => {
    if (kind === 'history')
      return name === undefined
        ? 'A build step has a secret in its text'
        : `A build step sets ${shownName(name)}, which looks like a secret`
    return `${SECRET_PLACES[kind]} ${shownName(name ?? '')} looks like a secret`
  },
  fix: 'Change the secret: whoever can pull the image can read it. Pass secrets to a build with `RUN --mount=type=secret,id=…`, and to containers when they start.',
} as const

/** On one line, however long it is. */
function shownName(name: string): string {
  return name.replace(/\s+/g, ' ').slice(0, 200)
}

/** What a build context has and no container needs. Each glob names a file, or a directory with everything below it. */
const CONTEXT: readonly {
  readonly kind: string
  readonly title: string
  readonly globs: readonly string[]
}[] = [
  { kind: 'git', title: 'Version control', globs: ['**/.git', '**/.svn', '**/.hg'] },
  { kind: 'editor', title: "An editor's files", globs: ['**/.vscode', '**/.idea', '**/.DS_Store'] },
  { kind: 'ci', title: 'Files of a CI system', globs: ['**/.github', '**/.gitlab-ci.yml', '**/.circleci'] },
  {
    kind: 'docker',
    title: 'Dockerfiles and their like',
    globs: ['**/Dockerfile', '**/.dockerignore', '**/docker-compose.yml', '**/compose.yaml'],
  },
]

const GPU: readonly { readonly kind: string; readonly title: string; readonly globs: readonly string[] }[] = [
  {
    kind: 'cuda',
    title: 'Libraries of CUDA',
    globs: ['usr/local/cuda*', '**/nvidia/*/lib', '**/libcudnn*', '**/libcublas*', '**/libnccl*'],
  },
  { kind: 'rocm', title: 'Libraries of ROCm', globs: ['opt/rocm*'] },
]
const BROWSERS = ['**/ms-playwright', '**/.cache/puppeteer', '**/.cache/selenium']
const TESTS = [
  ...['tests', 'test'].map((name) => `**/site-packages/*/${name}`),
  ...['test', 'tests', '__tests__'].map((name) => `**/node_modules/*/${name}`),
]

/** Where packages are: what is below such a directory is not from the build context, and no secret of the image's maker. */
export const BROUGHT: Selector = {
  directories: ['node_modules', 'site-packages', 'dist-packages', 'vendor', 'gems'].map(
    (name) => `**/${name}`,
  ),
}

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
function rewritten({ layer, step }: Found, { clean }: Cache, mounts: readonly string[]): string {
  const mounted = `\`RUN ${mounts.map((mount) => `--mount=type=cache,target=${mount}`).join(' ')} …\``
  if (isCopy(step)) {
    return `Leave the cache out of what ${stepOf(layer, step)} copies: \`RUN ${clean}\` in the stage that creates it, or ${mounted}`
  }
  return `Write ${stepOf(layer, step, 'the RUN')} as \`RUN ${clean}\`, or keep the cache out of it with ${mounted}`
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}

function fixRemoved(found: Found): string {
  const { layer, step, cache } = found
  const where = stepOf(layer, step)
  if (cache !== undefined) {
    const rest =
      cache.restBytes === 0
        ? ''
        : `; remove the other ${formatBytes(cache.restBytes)} in the RUN that creates them`
    const means = rewritten(found, cache.cache, mountsOf(cache.cache, cache.files))
    return `${means}${rest}: what a later step removes is still stored and pulled.`
  }
  if (isCopy(step)) {
    return `Leave these files out of ${where}: name them in \`.dockerignore\`, or copy only what is needed from a second stage with \`COPY --from\`. What a later step removes is still stored and pulled.`
  }
  return `Remove the files in the RUN that creates them (${where}), or create them in a second stage: what a later step removes is still stored and pulled.`
}

function fixReplaced({ layer, byLayer, step, byStep }: Found): string {
  return `Write each file once: leave it out of ${stepOf(layer, step)}, or do the work of that step and of ${stepOf(byLayer, byStep)} in one RUN, or in a first stage whose result one COPY takes.`
}

/** `owner and mode`; what came to differ along with them is no cause. */
function causesOf(differs: readonly Difference[]): readonly Difference[] {
  const causes = differs.filter((one) => one !== 'time')
  return causes.length > 0 ? causes : differs
}

const STORED_AGAIN = 'Files stored again'

function metadataTitle({ differs }: Found): string {
  if (differs === undefined) return `${STORED_AGAIN} with the same content`
  if (differs.length === 0) return `${STORED_AGAIN} unchanged`
  return `${STORED_AGAIN} with another ${causesOf(differs).join(' and ')}`
}

function fixMetadata({ layer, byLayer, step, byStep, differs }: Found): string {
  const where = stepOf(byLayer, byStep)
  const causes = causesOf(differs ?? [])
  const options = [
    ...(causes.includes('owner') ? ['chown'] : []),
    ...(causes.includes('mode') ? ['chmod'] : []),
  ]
  if (options.length === 0) return fixRepeated({ layer, byLayer, step, byStep, differs })
  const change = byStep === undefined ? undefined : optionOf(byStep)
  const again = `changing ${causes.map((cause) => `the ${cause}`).join(' or ')} stores each file again`
  if (isCopy(step) && step !== undefined && change !== undefined && options.includes(change.option)) {
    const isSymbolic = change.option === 'chmod' && !/^[0-7]+$/.test(change.value)
    const syntax = isSymbolic ? ' A symbolic mode needs `# syntax=docker/dockerfile:1.14` or newer.' : ''
    return `Write \`${instructionOf(step, `--${change.option}=${change.value}`)}\`, and remove \`${change.command}\` from ${where}: ${again}.${syntax}`
  }
  const flags = options.map((option) => `\`--${option}\``).join(' and ')
  if (isCopy(step)) {
    return `Give ${stepOf(layer, step)} its ${flags}, and remove the change from ${where}: ${again}.`
  }
  const commands = options.map((option) => `\`${option}\``).join(' or ')
  return `Use ${commands} in the RUN that creates the files (${stepOf(layer, step)}), not in ${where}: ${again}. COPY takes ${flags}.`
}

/** Owner and mode are the same: the step wrote the same content again. */
function fixRepeated({
  layer,
  byLayer,
  step,
  byStep,
  differs,
}: Pick<Found, 'layer' | 'byLayer' | 'step' | 'byStep' | 'differs'>): string {
  const where = stepOf(byLayer, byStep)
  const what =
    differs === undefined
      ? 'stores the same content again'
      : differs.length === 0
        ? 'stores these files again and changes nothing in them'
        : 'writes the same content again with another time'
  if (isCopy(step) && isCopy(byStep)) {
    return `Copy these files once: ${where} ${what}. Leave them out of one of the two (\`COPY --exclude\` or \`.dockerignore\`).`
  }
  return `${capital(where)} ${what}: leave these files alone there, or do the work of ${stepOf(layer, step)} and of ${where} in one RUN, or in a first stage whose result one COPY takes.`
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
    title: metadataTitle,
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
      fix: (found) => `${rewritten(found, cache, mountsOf(cache, found.files))}.`,
    })),
  },
  {
    rule: 'gpu',
    severity: 'info',
    selects: 'shown',
    items: GPU.map(({ kind, title, globs }) => ({
      kind,
      title,
      directories: globs,
      files: globs,
      fix: () =>
        'Install only the libraries that the program loads, or the build of the framework for CPUs if no GPU is used; start from a `runtime` image, not a `devel` one.',
    })),
  },
  {
    rule: 'browsers',
    severity: 'info',
    selects: 'shown',
    items: [
      {
        title: 'Browsers for tests',
        directories: BROWSERS,
        files: BROWSERS,
        fix: () =>
          'Install browsers only where they run: set `PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1` or `PUPPETEER_SKIP_DOWNLOAD=1` in the final stage, or install one browser only.',
      },
    ],
  },
  {
    rule: 'test-files',
    severity: 'info',
    selects: 'shown',
    items: [
      {
        title: 'Tests of installed packages',
        directories: TESTS,
        files: TESTS,
        fix: () =>
          'Remove the tests of packages in the RUN that installs them: `find … -type d -name tests -prune -exec rm -r {} +`.',
      },
    ],
  },
  {
    rule: 'unstripped',
    severity: 'info',
    selects: 'symbols',
    title: 'Programs and libraries with symbols',
    fix: () =>
      'Strip them in the stage that builds them: `strip -s FILE`, `go build -ldflags="-s -w"`, or `strip = true` in the profile of Cargo.',
  },
  {
    rule: 'jdk',
    severity: 'info',
    selects: 'jdk',
    title: 'The parts of a JDK that only a build needs',
    fix: () =>
      'Run on a JRE: make one with `jlink --strip-debug --no-header-files --no-man-pages` in an earlier stage, or start from a `jre` image.',
  },
  {
    rule: 'build-context',
    severity: 'warning',
    selects: 'shown',
    isOwn: true,
    items: CONTEXT.map(({ kind, title, globs }) => ({
      kind,
      title: `${title} from the build context`,
      directories: globs,
      files: globs,
      fix: ({ layer, step }) => {
        const lines = globs.map((glob) => `\`${glob}\``).join(', ')
        if (step !== undefined && !isCopy(step)) {
          return `Remove ${lines} in ${stepOf(layer, step)}, which creates them, or do its work in a first stage and COPY only what is needed.`
        }
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
    isOwn: true,
    items: SECRETS.map((secret) => ({
      ...secret,
      fix: ({ layer, step }) =>
        `If these are secrets, revoke them: whoever pulls the image can read them, even if a later step removes them. Leave them out of ${stepOf(layer, step)}${step === undefined || isCopy(step) ? ' (`.dockerignore`)' : ''}, and give them to the RUN that needs them with \`RUN --mount=type=secret\`.`,
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
