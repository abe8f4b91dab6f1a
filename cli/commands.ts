/** The commands: which endpoint each one asks, and its help. Flags are the endpoint's parameters. */

export type Command = {
  readonly name: string
  readonly alias?: string
  /** One sentence for the list of commands. */
  readonly summary: string
  /** Further help. */
  readonly more?: string
  /** Paths of the API whose parameters are its flags. */
  readonly endpoints: readonly string[]
  /** Positional arguments. */
  readonly operands: readonly Operand[]
  /** Values of `--format`, the default first; none if the answer has only one form. */
  readonly formats: readonly string[]
  readonly kind: Kind
  readonly examples: readonly [example: string, says: string][]
}

/**
 * `answer`: the endpoint's own text; `steps`: a list that this program makes of a report; `list`: items, whole unless a page is requested; `bytes`: content that is streamed;
 * `gate`: exits with 1 if a rule is broken; `cluster`: reads what other programs print.
 */
export type Kind =
  | 'answer'
  | 'steps'
  | 'list'
  | 'bytes'
  | 'gate'
  | 'diff'
  | 'bundle'
  | 'index'
  | 'open'
  | 'cluster'
  | 'explore'

export type Operand = {
  /** The API's parameter. */
  readonly parameter: string
  /** As usage shows it. */
  readonly shown: string
  readonly repeats?: boolean
  /** May be left out; then its flag may be given. */
  readonly isOptional?: boolean
}

const IMAGE: Operand = { parameter: 'image', shown: 'IMAGE' }
const path = (shown: string): Operand => ({ parameter: 'path', shown, isOptional: true })
const TEXTS = ['text', 'json', 'markdown']
const LISTS = ['text', 'json', 'ndjson', 'csv']
const SHOWN_LISTS = ['text', 'json', 'ndjson', 'csv', 'markdown']

export const COMMANDS: readonly Command[] = [
  {
    name: 'report',
    summary: 'Show what is inside an image: sizes, layers, waste, packages',
    endpoints: ['/v1/report'],
    operands: [IMAGE],
    formats: [...TEXTS, 'svg'],
    kind: 'answer',
    examples: [
      ['nginx:1.27', 'an image of Docker Hub'],
      ['docker-daemon:app:dev', 'an image that was just built'],
      ['ghcr.io/o/app:v1 --format json', 'for a program'],
    ],
  },
  {
    name: 'explore',
    summary: 'Walk through an image in the terminal: tree, layers, waste, changes',
    more: '`lamina IMAGE` does the same in a terminal. Press ? for the keys.',
    endpoints: ['/v1/report'],
    operands: [IMAGE, { parameter: 'to', shown: 'IMAGE2', isOptional: true }],
    formats: [],
    kind: 'explore',
    examples: [
      ['nginx:1.27', 'an image of Docker Hub'],
      ['docker-daemon:app:dev', 'an image that was just built'],
      ['app:v1 app:v2', 'what changed, down to the lines of a file'],
    ],
  },
  {
    name: 'files',
    summary: 'List the files of an image, or of one layer',
    endpoints: ['/v1/files'],
    operands: [IMAGE, { parameter: 'glob', shown: 'GLOB', isOptional: true }],
    formats: LISTS,
    kind: 'list',
    examples: [
      ["nginx:1.27 '**/*.so' --sort -bytes", 'shared libraries, largest first'],
      ['nginx:1.27 --layer 0', 'the members of the lowest layer'],
      ['nginx:1.27 --min-bytes 1048576 --format csv', 'files of 1 MiB or more, for a spreadsheet'],
    ],
  },
  {
    name: 'tree',
    summary: 'Show directories with the size of all below them, largest first',
    endpoints: ['/v1/tree'],
    operands: [IMAGE, path('PATH')],
    formats: [...TEXTS, 'ncdu'],
    kind: 'answer',
    examples: [
      ['nginx:1.27 --depth 3', 'three levels from the root'],
      ['nginx:1.27 usr/lib', 'what is below one directory'],
      ['nginx:1.27 --format ncdu | ncdu -f-', 'all of it, in ncdu'],
      ['nginx:1.27 --layer 1 --limit 5', 'one layer, five children of each directory'],
    ],
  },
  {
    name: 'cat',
    summary: 'Write the content of one file of an image to stdout',
    endpoints: ['/v1/file'],
    operands: [IMAGE, path('PATH')],
    formats: [],
    kind: 'bytes',
    examples: [
      ['nginx:1.27 /etc/nginx/nginx.conf', 'a file that containers see'],
      ['app:v1 etc/secret --layer 2', 'a version that a later layer hides'],
      ["app:v1 'app.jar!/META-INF/MANIFEST.MF' --output MANIFEST.MF", 'out of an archive, into a file'],
    ],
  },
  {
    name: 'inside',
    summary: 'Show what one file is made of: entries, sections, Go modules',
    more: 'Reads zip, tar and ar archives and ELF files; a path may lead into archives.',
    endpoints: ['/v1/inside'],
    operands: [IMAGE, path('PATH')],
    formats: SHOWN_LISTS,
    kind: 'list',
    examples: [
      ['app:v1 usr/bin/app', 'areas, Go modules, the largest sections'],
      ["app:v1 'app.jar!/BOOT-INF/lib/x.jar'", 'an archive inside an archive'],
      ["app:v1 app.jar --glob '**/*.class' --format csv", 'for a spreadsheet'],
    ],
  },
  {
    name: 'layers',
    summary: 'List the layers of an image with their sizes and steps',
    endpoints: ['/v1/report'],
    operands: [IMAGE],
    formats: SHOWN_LISTS,
    kind: 'steps',
    examples: [
      ['nginx:1.27', 'a line for each layer'],
      ['nginx:1.27 --format csv', 'with digests, for a spreadsheet'],
      ['nginx:1.27 --format json', 'for a program'],
    ],
  },
  {
    name: 'history',
    summary: 'List all steps that built an image, as docker history does',
    endpoints: ['/v1/report'],
    operands: [IMAGE],
    formats: SHOWN_LISTS,
    kind: 'steps',
    examples: [
      ['nginx:1.27', 'steps without a layer, too; none is shortened'],
      ['app:v1 --format csv', 'for a spreadsheet'],
      ['app:v1 --format json', 'for a program'],
    ],
  },
  {
    name: 'waste',
    summary: 'List files that a later layer removed, replaced or stored again',
    endpoints: ['/v1/waste'],
    operands: [IMAGE],
    formats: SHOWN_LISTS,
    kind: 'list',
    examples: [
      ['app:v1', 'all of them, largest first'],
      ['app:v1 --limit 20', 'the 20 largest'],
      ['app:v1 --format csv --output waste.csv', 'for a spreadsheet'],
    ],
  },
  {
    name: 'duplicates',
    summary: 'List duplicate files',
    endpoints: ['/v1/duplicates'],
    operands: [IMAGE],
    formats: SHOWN_LISTS,
    kind: 'list',
    examples: [
      ['app:v1', 'in the file system that a container sees'],
      ['app:v1 --scope layers', 'in all layers, hidden files too'],
      ['app:v1 --format markdown --limit 10', 'for a comment'],
    ],
  },
  {
    name: 'packages',
    summary: 'List the installed packages',
    endpoints: ['/v1/packages'],
    operands: [IMAGE],
    formats: SHOWN_LISTS,
    kind: 'list',
    examples: [
      ['debian:12', 'of dpkg, apk, rpm, npm, Python and others'],
      ['debian:12 --format csv', 'for a spreadsheet'],
      ['node:22 --format ndjson', 'one object per line'],
    ],
  },
  {
    name: 'advice',
    summary: 'Show what to change in an image, and what that saves',
    endpoints: ['/v1/advice'],
    operands: [IMAGE],
    formats: TEXTS,
    kind: 'answer',
    examples: [
      ['app:v1', 'what to change, largest saving first'],
      ['app:v1 --base-image debian:12', 'without what comes from the base image'],
      ["app:v1 --ignore 'usr/share/doc/**'", 'without what is there on purpose'],
    ],
  },
  {
    name: 'config',
    summary: 'Show the config of an image, as stored in its registry',
    endpoints: ['/v1/config'],
    operands: [IMAGE],
    formats: ['text', 'json'],
    kind: 'answer',
    examples: [
      ['nginx:1.27', 'one line for each value'],
      ['nginx:1.27 --format json', 'the same bytes as in the registry'],
      ['nginx:1.27 --platform linux/arm64', 'of another platform'],
    ],
  },
  {
    name: 'dockerfile',
    summary: 'Show a Dockerfile rebuilt from the history of an image',
    endpoints: ['/v1/dockerfile'],
    operands: [IMAGE],
    formats: ['text'],
    kind: 'answer',
    examples: [
      ['nginx:1.27', 'each step with the size of its layer'],
      ['nginx:1.27 --platform linux/arm64', 'of another platform'],
      ['nginx:1.27 --output Dockerfile', 'into a file'],
    ],
  },
  {
    name: 'platforms',
    summary: 'List the platforms of an image',
    endpoints: ['/v1/platforms'],
    operands: [IMAGE],
    formats: ['text', 'json', 'csv'],
    kind: 'list',
    examples: [
      ['nginx:1.27', 'with digest and size'],
      ['nginx:1.27 --format json', 'for a program'],
      ['nginx:1.27 --format csv', 'for a spreadsheet'],
    ],
  },
  {
    name: 'tags',
    summary: 'List the tags of a repository',
    endpoints: ['/v1/tags'],
    operands: [{ parameter: 'repository', shown: 'REPOSITORY' }],
    formats: LISTS,
    kind: 'list',
    examples: [
      ['nginx', 'all of them'],
      ['ghcr.io/o/app --limit 10', 'the first ten'],
      ['nginx --format json', 'for a program'],
    ],
  },
  {
    name: 'images',
    alias: 'ls',
    summary: 'List the images of a repository with their sizes',
    endpoints: ['/v1/images'],
    operands: [{ parameter: 'repository', shown: 'REPOSITORY' }],
    formats: SHOWN_LISTS,
    kind: 'list',
    examples: [
      ['nginx', 'a line for each tag'],
      ["nginx --tag '1.2*' --sort -compressedBytes", 'some of them, largest first'],
      ['docker-daemon:', "the Docker Engine's images"],
    ],
  },
  {
    name: 'diff',
    summary: 'Show what changed between two images',
    endpoints: ['/v1/diff', '/v1/diff/files', '/v1/diff/inside'],
    operands: [
      { parameter: 'from', shown: 'FROM' },
      { parameter: 'to', shown: 'TO' },
    ],
    formats: [...SHOWN_LISTS, 'html', 'svg'],
    kind: 'diff',
    examples: [
      ['app:v1 app:v2', 'sizes, layers, files, packages, config'],
      ['app:v1 app:v2 --files --sort -delta', 'every path, largest change first'],
      ['app:v1 app:v2 --inside usr/bin/app', 'which Go module grew, or which entry or section'],
      ['app:v1 app:v2 --format svg --output diff.svg', 'a picture of what grew and shrank'],
      ['app:v1 app:v2 --exit-code', 'exit with 1 if they differ'],
    ],
  },
  {
    name: 'update',
    summary: 'Show what a machine that has FROM downloads for TO, and why',
    endpoints: ['/v1/update'],
    operands: [
      { parameter: 'from', shown: 'FROM' },
      { parameter: 'to', shown: 'TO' },
    ],
    formats: TEXTS,
    kind: 'answer',
    examples: [
      ['app:v1 app:v2', 'what is pulled, what of it is new, and what to change'],
      ['app:v1 docker-daemon:app:dev', 'before the push'],
      ['app:v1 app:v2 --format markdown', 'for a comment'],
    ],
  },
  {
    name: 'updates',
    summary: 'Show what the updates from tag to tag pull, and plan layers',
    endpoints: ['/v1/updates'],
    operands: [{ parameter: 'repository', shown: 'REPOSITORY' }],
    formats: [...SHOWN_LISTS, 'svg'],
    kind: 'answer',
    examples: [
      ['ghcr.io/o/app', 'the last ten tags'],
      ["ghcr.io/o/app --tag 'v*' --plan 5 --base-image debian:12", 'in five layers above a base'],
      ['ghcr.io/o/app --format svg --output updates.svg', 'a bar for each tag'],
    ],
  },
  {
    name: 'check',
    summary: 'Check an image against rules; exit with 1 if one is broken',
    endpoints: ['/v1/check'],
    operands: [IMAGE],
    formats: ['text', 'json', 'junit', 'sarif', 'markdown', 'github', 'gitlab', 'openmetrics'],
    kind: 'gate',
    examples: [
      ["app:v2 --max-size 300MB --deny '**/.env'", 'a limit, and files that must not be there'],
      ['app:v2 --baseline app:v1 --max-growth 5%', 'against another image'],
      ['app:v2 --policy policy.yaml --format junit', 'rules from a file, for CI'],
    ],
  },
  {
    name: 'badge',
    summary: 'Write a badge with a figure of an image, as SVG',
    endpoints: ['/badge/{metric}.svg'],
    operands: [IMAGE],
    formats: [],
    kind: 'bytes',
    examples: [
      ['app:v1 --metric size --output size.svg', 'the compressed size'],
      ['app:v1 --metric advice --label image', 'with a label'],
      ['app:v1 --metric check --max-size 300MB', 'whether it passes the rules'],
    ],
  },
  {
    name: 'export',
    summary: 'Write the file system of an image, or one layer, as a tar',
    endpoints: ['/v1/export'],
    operands: [IMAGE],
    formats: [],
    kind: 'bytes',
    examples: [
      ['nginx:1.27 --output nginx.tar', 'all of it'],
      ['nginx:1.27 --path etc/nginx | tar -x', 'one directory'],
      ['nginx:1.27 --layer 0 | sha256sum', "a layer's tar, byte for byte"],
      ['nginx:1.27 --layer 1 --path etc | tar -x', 'what a layer added below a path'],
    ],
  },
  {
    name: 'bundle',
    summary: 'Make an OCI runtime bundle in a folder',
    endpoints: ['/v1/bundle'],
    operands: [IMAGE, { parameter: 'folder', shown: 'FOLDER', isOptional: true }],
    formats: [],
    kind: 'bundle',
    examples: [
      ['alpine:3.20 alpine', 'then: cd alpine && runc run name'],
      ['alpine:3.20 alpine --rootless', 'for a user who is not root'],
      ['alpine:3.20 arm --platform linux/arm64', 'of another platform'],
    ],
  },
  {
    name: 'sbom',
    summary: 'Write a bill of materials of the packages',
    endpoints: ['/v1/sbom'],
    operands: [IMAGE],
    formats: ['cyclonedx', 'spdx'],
    kind: 'answer',
    examples: [
      ['debian:12', 'CycloneDX 1.6'],
      ['debian:12 --format spdx --output sbom.json', 'SPDX 2.3, into a file'],
      ['app:v1 --attached', 'the one that its builder attached'],
    ],
  },
  {
    name: 'shared',
    summary: 'Show which layers images share, and their total size',
    endpoints: ['/v1/shared'],
    operands: [{ ...IMAGE, repeats: true }],
    formats: TEXTS,
    kind: 'answer',
    examples: [
      ['app:v1 app:v2', 'of two images'],
      ['app:v1 app:v2 worker:v2 --format json', 'for a program'],
      ['app:v1 debian:12 --platform linux/arm64', 'of another platform'],
    ],
  },
  {
    name: 'base',
    summary: 'Show what an image stands on, and whether that is current',
    endpoints: ['/v1/base'],
    operands: [IMAGE],
    formats: TEXTS,
    kind: 'answer',
    examples: [
      ['app:v1', 'the base image, by annotations, labels and provenance'],
      ['app:v1 --candidate debian:12 --alternatives 5', 'with a guess of yours, and smaller variants'],
      ['app:v1 --packages', 'what is yours, and what an update of the base changes'],
    ],
  },
  {
    name: 'attached',
    summary: 'List attestations, signatures and SBOMs of an image, or write one',
    more: 'Nothing is verified: neither signatures nor what they say.',
    endpoints: ['/v1/attached', '/v1/attached/content'],
    operands: [IMAGE, { parameter: 'digest', shown: 'DIGEST', isOptional: true }],
    formats: SHOWN_LISTS,
    kind: 'answer',
    examples: [
      ['app:v1', 'wherever its registry keeps them'],
      ['app:v1 --kind sbom --format json', 'for a program'],
      ['app:v1 sha256:1f2e… --as predicate', 'what an attestation says'],
    ],
  },
  {
    name: 'open',
    summary: 'Open the pages about an image in a browser',
    more: 'Prints a link that works once, and serves the pages on this machine until Ctrl-C.',
    endpoints: ['/v1/config'],
    operands: [IMAGE],
    formats: [],
    kind: 'open',
    examples: [
      ['nginx:1.27', 'an image of Docker Hub'],
      ['app:dev', 'a local build, from the Docker Engine'],
      ['./app.tar', 'an archive'],
    ],
  },
  {
    name: 'storage',
    summary: 'Show what the tags of a repository store, and what deleting some frees',
    more: 'Deletes nothing.',
    endpoints: ['/v1/storage'],
    operands: [{ parameter: 'repository', shown: 'REPOSITORY' }],
    formats: [...SHOWN_LISTS, 'svg'],
    kind: 'answer',
    examples: [
      ['ghcr.io/o/app', 'what each tag has alone, largest first'],
      ["ghcr.io/o/app --delete 'pr-*' --keep 5", 'all of these but the newest five'],
      ["ghcr.io/o/app --tag 'v1.*' --sort created", 'some of them, newest first'],
    ],
  },
  {
    name: 'sizes',
    summary: 'Show what each tool says of the size of an image, and why',
    endpoints: ['/v1/sizes'],
    operands: [IMAGE],
    formats: SHOWN_LISTS,
    kind: 'answer',
    examples: [
      ['nginx:1.27', 'why docker image ls says something else'],
      ['docker-daemon:app:dev', 'a local build'],
      ['nginx:1.27 --format json', 'for a program'],
    ],
  },
  {
    name: 'compression',
    summary: 'Measure the layers of an image in other compressions',
    more: 'Reads and compresses each layer, which can take minutes.',
    endpoints: ['/v1/compression'],
    operands: [IMAGE],
    formats: SHOWN_LISTS,
    kind: 'answer',
    examples: [
      ['nginx:1.27', 'what zstd would save'],
      ['app:v1 --with zstd:3 --with zstd:19 --with gzip:9', 'several settings in one pass'],
      ['app:v1 --layer 3', 'one layer'],
    ],
  },
  {
    name: 'cluster',
    summary: 'Show the images of a cluster, and what each node stores of them',
    more: 'Reads what kubectl get -o json, docker compose config or helm template print, from FILE or stdin. Exits with 2 if an image cannot be read.',
    endpoints: [],
    operands: [{ parameter: 'file', shown: 'FILE', isOptional: true }],
    formats: ['text', 'json', 'csv', 'ndjson'],
    kind: 'cluster',
    examples: [
      ['pods.json', 'of kubectl get pods,nodes -A -o json'],
      ['- --platform linux/arm64', 'from stdin, for nodes of another platform'],
      ['compose.json --format csv', 'for a spreadsheet'],
    ],
  },
  {
    name: 'index',
    summary: 'Read images into the cache, printing a line for each',
    more: 'Images already in the cache are skipped. Exits with 2 if one failed.',
    endpoints: [],
    operands: [{ ...IMAGE, repeats: true }],
    formats: [],
    kind: 'index',
    examples: [
      ['app:v1 app:v2', 'two images'],
      ['-f images.txt', 'one image per line'],
      ['-f - --platform linux/arm64', 'from stdin, for another platform'],
    ],
  },
]
