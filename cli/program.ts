/** The command line: the arguments of each command, and its help. */
import { type Help, Command as Parser } from 'commander'
import type { Api } from './api.ts'
import { COMMANDS, type Command } from './commands.ts'
import { Failure } from './failure.ts'
import { flagHelp, flagOf, flagParameters, isSwitch, valueName } from './flags.ts'

/** What was asked for. */
export type Request = {
  readonly command: Command
  /** Parameters of the API by name, each with its given values. */
  readonly parameters: ReadonlyMap<string, readonly string[]>
  readonly settings: Settings
}

/** Where an image without a transport is: each rules the other out. */
export type Source = 'registry' | 'engine'

export type Settings = {
  readonly format?: string | undefined
  readonly output?: string | undefined
  readonly quiet: boolean
  readonly cache: boolean
  readonly server?: string | undefined
  readonly source?: Source | undefined
  /** Registries over plain HTTP, or without a check of their certificate. */
  readonly insecure: readonly string[]
  /** A file with certificates. */
  readonly ca?: string | undefined
  readonly exitCode: boolean
  readonly files: boolean
  /** For `diff`: the path in its parameters leads to one file of both. */
  readonly inside: boolean
  /** For `index`: the file that lists the images. */
  readonly list?: string | undefined
  /** For `check`: a policy, or dive's. */
  readonly policy?: string | undefined
  readonly diveCi?: string | undefined
  readonly allowMissingBaseline: boolean
  /** For `check` and `diff`: whether to keep a comment on a pull request, and what it tells. */
  readonly comment: boolean
  readonly commentThreshold?: string | undefined
  readonly history?: string | undefined
  readonly historyTags: readonly string[]
  /** For `check` and `advice`. */
  readonly dockerfile?: string | undefined
}

/** How images are read. */
export type ReaderSettings = Pick<Settings, 'cache' | 'server' | 'source' | 'insecure' | 'ca'>

export type Actions = {
  ask(request: Request): Promise<void>
  lake(request: Lake): Promise<void>
  mcp(settings: ReaderSettings): Promise<void>
  serve(): Promise<void>
  completion(shell: string): Promise<void>
  version(): void
}

export type Lake = {
  readonly folder: string
  readonly batch: string
  readonly quiet: boolean
}

/** Width of help in columns. */
const WIDTH = 80
/** Maximum width of its first column. */
const TERM_WIDTH = 26
const INDENT = '  '

const COMMENT_FLAGS = [
  ['--comment', 'Keep one comment on the pull request of this CI run up to date'],
  [
    '--comment-threshold <LIMIT>',
    'Write it if the size changed by this, or a rule is broken (default: 0.1%)',
  ],
  ['--history <N>', 'Show the last N builds in the comment'],
] as const

const OWN_FLAGS: Readonly<Record<string, readonly (readonly [flags: string, help: string])[]>> = {
  diff: [
    ['--files', 'List every path that differs'],
    ['--inside <PATH>', 'List what differs inside this file'],
    ['--exit-code', 'Exit with 1 if the images differ'],
    ...COMMENT_FLAGS,
    ['--history-tag <GLOB>', 'Of these, only tags that match'],
  ],
  check: [
    ['--policy <FILE>', 'Rules from a JSON or YAML file'],
    ['--dive-ci <FILE>', "Rules from dive's file (.dive-ci)"],
    ['--allow-missing-baseline', 'Skip rules about growth if the baseline does not exist'],
    ['--dockerfile <FILE>', 'Point findings at the lines of this Dockerfile'],
    ...COMMENT_FLAGS,
  ],
  advice: [['--dockerfile <FILE>', 'Point items at the lines of this Dockerfile']],
  sbom: [['--attached', 'Write the one that is attached to the image instead']],
  index: [['-f, --list <FILE>', 'Read the images from a file, one per line; - is stdin']],
}

export function createProgram(api: Api, actions: Actions): Parser {
  const program = new Parser('lamina')
  program
    .description('Shows what is inside container images, and what changed between two.')
    .usage('COMMAND [IMAGE…] [OPTIONS]')
    .helpOption('-h, --help', 'Show this help')
    .helpCommand('help [COMMAND]', 'Show the help of a command')
    .configureHelp({
      helpWidth: WIDTH,
      showGlobalOptions: false,
      subcommandTerm: (one) => [one.name(), ...one.aliases()].join(', '),
      padWidth: (one, helper) => Math.min(TERM_WIDTH, longestTerm(one, helper)),
      formatItem,
    })
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeErr: (text) => process.stdout.write(text) })
    .addHelpText('after', `\n${GENERAL_HELP}`)
  // What the API does not answer is not a command.
  for (const command of COMMANDS)
    if (command.endpoints.every((endpoint) => endpoint in api)) addCommand(program, api, command, actions)
  program
    .command('lake')
    .summary('Compact what a service has stored into large tables, for questions about a fleet')
    .description(LAKE_HELP)
    .usage('FOLDER [OPTIONS]')
    .argument('<FOLDER>', 'folder of the tables; what they already have is not read again')
    .option('--batch <IMAGES>', 'How many images to add at once', '1000')
    .option('-q, --quiet', 'Show no progress')
    .allowExcessArguments(false)
    .action((folder: string, { batch, quiet }: { batch: string; quiet?: true }) =>
      actions.lake({ folder, batch, quiet: quiet === true }),
    )
    .addHelpText('after', `\n${exampleLines('lake', LAKE_EXAMPLES).join('\n')}`)
  program
    .command('serve')
    .summary('Serve the HTTP API and its pages')
    .description('Serve the HTTP API and its pages. Settings are environment variables: HOST, PORT, LAMINA_…')
    .usage('[OPTIONS]')
    .action(() => actions.serve())
    .addHelpText('after', '\nExamples:\n  PORT=8080 lamina serve    on http://127.0.0.1:8080')
  const mcp = program
    .command('mcp')
    .summary('Offer tools to agents, on stdin and stdout')
    .description(MCP_HELP)
    .usage('[OPTIONS]')
    .helpOption('-h, --help', 'Show this help')
    .option(...SOURCE_FLAG)
  addReaderFlags(mcp)
    .allowExcessArguments(false)
    .action(() => actions.mcp(readerSettings(mcp.opts())))
    .addHelpText('after', `\n${exampleLines('mcp', MCP_EXAMPLES).join('\n')}`)
  program
    .command('completion')
    .description('Write a completion script for a shell')
    .usage('bash|zsh|fish')
    .argument('<SHELL>', 'bash, zsh or fish')
    .action((shell: string) => actions.completion(shell))
    .addHelpText('after', '\nExamples:\n  source <(lamina completion bash)')
  program
    .command('version')
    .description('Show the version')
    .usage('[OPTIONS]')
    .action(() => actions.version())
  return program
}

function longestTerm(command: Parser, helper: Help): number {
  return Math.max(
    helper.longestOptionTermLength(command, helper),
    helper.longestSubcommandTermLength(command, helper),
    helper.longestArgumentTermLength(command, helper),
  )
}

/** Side by side; the description of a long flag begins on the next line, so that all descriptions have room. */
function formatItem(term: string, width: number, description: string, helper: Help): string {
  const column = width + 2 * INDENT.length
  const [first = '', ...rest] = helper.boxWrap(description, WIDTH - column).split('\n')
  const margin = ' '.repeat(column)
  const head =
    term.length <= width
      ? `${INDENT}${term.padEnd(width)}${INDENT}${first}`
      : `${INDENT}${term}\n${margin}${first}`
  return [head, ...rest.map((line) => margin + line)].join('\n')
}

const GENERAL_HELP = `An IMAGE is in a registry (nginx:1.27, ghcr.io/o/app@sha256:…), or else in the
Docker Engine (app:dev, docker-daemon:app:dev), in an archive (app.tar,
docker-archive:app.tar:app:dev), in a folder with an OCI layout; - is stdin.

Exit codes: 0; 1 a broken rule, or a difference with --exit-code; 2 an error.
Environment: LAMINA_SERVER, LAMINA_TOKEN, NO_COLOR, XDG_CACHE_HOME,
DOCKER_CONFIG, and the service's own settings.`

const LAKE_HELP =
  'Compact what a service has stored into large sorted tables of Parquet, which DuckDB, Spark and others read. ' +
  'Reads the store that LAMINA_DATA or S3_BUCKET names, else the cache. Needs @duckdb/node-api beside this program.'
const LAKE_EXAMPLES: Command['examples'] = [
  ['/srv/lake', "this program's cache"],
  ['/srv/lake --batch 200', 'in smaller steps, with less memory'],
]

const MCP_HELP =
  'Offer tools to agents by the Model Context Protocol on stdin and stdout: report, advice, diff, files, file, packages, ' +
  'check, inside, update. All of them only read. The agent starts this command itself; docs/agents.md shows how.'
const MCP_EXAMPLES: Command['examples'] = [
  ['', 'images are read here'],
  ['--server https://lamina.example.com', 'a service reads them'],
]

const SOURCE_FLAG = ['--source <SOURCE>', 'registry or engine: where images without a transport are'] as const

/** Of everything that reads images. */
function addReaderFlags(parser: Parser): Parser {
  return parser
    .option('--no-cache', 'Neither read nor write the cache')
    .option('--insecure <HOST>', 'Plain HTTP for this registry, or an unchecked certificate', collect)
    .option('--ca <FILE>', 'Trust the certificates in this file (PEM), too')
    .option('--server <URL>', 'Ask this service instead of reading the image here')
}

function addCommand(program: Parser, api: Api, command: Command, actions: Actions): void {
  const { name, alias, summary, more, operands, examples, formats } = command
  const shown = operands
    .map(({ shown, repeats, isOptional }) => (repeats ? `${shown}…` : isOptional ? `[${shown}]` : shown))
    .join(' ')
  const parser = program
    .command(name)
    .summary(summary)
    .description(more === undefined ? `${summary}.` : `${summary}. ${more}`)
    .usage(`${name === 'index' ? `[${shown}]` : shown} [OPTIONS]`)
    .helpOption('-h, --help', 'Show this help')
    .allowExcessArguments(false)
  if (alias !== undefined) parser.alias(alias)
  for (const { shown, repeats, isOptional } of operands) {
    const optional = name === 'index'
    if (isOptional) parser.argument(`[${shown}]`)
    else parser.argument(optional ? `[${shown}...]` : repeats ? `<${shown}...>` : `<${shown}>`)
  }
  for (const parameter of flagParameters(api, command)) {
    const flag = flagOf(parameter.name)
    if (isSwitch(parameter)) parser.option(flag, flagHelp(parameter))
    else parser.option(`${flag} <${valueName(parameter)}>`, flagHelp(parameter), collect)
  }
  if (hasOwnPlatform(command))
    parser.option('--platform <PLATFORM>', 'os/arch[/variant], linux/amd64 by default', collect)
  for (const [flags, help] of OWN_FLAGS[name] ?? []) parser.option(flags, help)
  if (formats.length > 0) parser.option('--format <FORMAT>', `${formats.join(', ')} (default: ${formats[0]})`)
  if (name === 'bundle') parser.option('-o, --output <FOLDER>', 'The same as FOLDER')
  else if (!['index', 'open', 'explore'].includes(name))
    parser.option('-o, --output <FILE>', 'Write to a file')
  if (command.operands.some(({ parameter }) => parameter !== 'repository' && parameter !== 'file'))
    parser.option(...SOURCE_FLAG)
  addReaderFlags(parser.option('-q, --quiet', 'Show no progress'))
    .action(async () => {
      await actions.ask(requestOf(api, command, parser))
    })
    .addHelpText('after', `\n${exampleLines(name, examples).join('\n')}`)
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

function requestOf(api: Api, command: Command, parser: Parser): Request {
  const given: Readonly<Record<string, unknown>> = parser.opts()
  const parameters = new Map<string, readonly string[]>()
  const rest = [...parser.args]
  for (const { parameter, repeats } of command.operands) {
    const words = repeats ? rest.splice(0) : rest.splice(0, 1)
    if (words.length > 0) parameters.set(parameter, words)
  }
  for (const { name } of [...flagParameters(api, command), ...(hasOwnPlatform(command) ? [PLATFORM] : [])]) {
    const value = given[name]
    if (value === true) parameters.set(name, ['1'])
    else if (Array.isArray(value)) {
      if (parameters.has(name))
        throw new Failure('usage', `${name} is given twice: after the image and as --${name}`)
      parameters.set(name, value.map(String))
    }
  }
  const text = textIn(given)
  const inside = text('inside')
  if (inside !== undefined) parameters.set('path', [inside])
  if (given.attached === true) parameters.set('source', ['attached'])
  return {
    command,
    parameters,
    settings: {
      format: text('format'),
      output: text('output'),
      quiet: given.quiet === true,
      ...readerSettings(given),
      exitCode: given.exitCode === true,
      files: given.files === true,
      inside: inside !== undefined,
      list: text('list'),
      policy: text('policy'),
      diveCi: text('diveCi'),
      allowMissingBaseline: given.allowMissingBaseline === true,
      comment: given.comment === true,
      commentThreshold: text('commentThreshold'),
      history: text('history'),
      historyTags: [given.historyTag ?? []].flat().map(String),
      dockerfile: text('dockerfile'),
    },
  }
}

type Given = Readonly<Record<string, unknown>>

function textIn(given: Given): (name: string) => string | undefined {
  return (name) => {
    const value = given[name]
    return typeof value === 'string' ? value : undefined
  }
}

function readerSettings(given: Given): ReaderSettings {
  const text = textIn(given)
  return {
    cache: given.cache !== false,
    server: text('server'),
    source: sourceOf(text('source')),
    insecure: Array.isArray(given.insecure) ? given.insecure.map(String) : [],
    ca: text('ca'),
  }
}

function sourceOf(text: string | undefined): Source | undefined {
  if (text === undefined || text === 'registry' || text === 'engine') return text
  throw new Failure('invalid_parameter', '--source must be registry or engine')
}

const PLATFORM = { name: 'platform' }

/** It has no endpoint whose parameter that would be. */
function hasOwnPlatform({ kind }: Command): boolean {
  return kind === 'index' || kind === 'cluster'
}

/** Side by side if there is room, else one below the other. */
function exampleLines(name: string, examples: Command['examples']): readonly string[] {
  const lines = examples.map(([example, says]) => [`lamina ${name} ${example}`.trimEnd(), says] as const)
  const width = Math.max(...lines.map(([line]) => line.length))
  return [
    'Examples:',
    ...lines.flatMap(([line, says]) =>
      width + says.length + 5 <= WIDTH ? [`  ${line.padEnd(width)}  ${says}`] : [`  # ${says}`, `  ${line}`],
    ),
  ]
}
