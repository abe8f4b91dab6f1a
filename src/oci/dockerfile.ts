/**
 * A Dockerfile rebuilt from an image's history, as BuildKit and the classic builder leave it there. Comments name what
 * the history lacks (the base image, the copied files, the content of heredocs). Sources: BuildKit
 * `frontend/dockerfile/dockerfile2llb/convert.go`; Moby `builder/dockerfile/dispatchers.go`.
 */
import type { HistoryStep, ImageConfig } from './config.ts'
import { parsePlainList, parseQuotedList, parseRune, parseSet } from './go-format.ts'
import type { Descriptor, ImageManifest } from './manifest.ts'

const INSTRUCTION =
  /^(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)(?:\s+(.*))?$/s

/** The classic builder records instructions that run nothing as a shell comment. */
const NOP = /^(?:.*\s)?#\(nop\)\s+/s
const BUILDKIT = '# buildkit'

/** A shell with the option that precedes its command. */
const SHELL_FORM =
  /^((?:\/\S*sh|\S*powershell(?:\.exe)?|\S*pwsh(?:\.exe)?|cmd(?:\.exe)?)(?:\s+-o\s+\w+|\s+[-/]\w+)*?\s+(?:-\w*c|-Command|\/C))\s+(.*)$/is

const HEREDOC = /<<-?\s*(["']?)([A-Za-z_]\w*)\1/

const UNIX_SHELL = ['/bin/sh', '-c']
const WINDOWS_SHELL = ['cmd', '/S', '/C']

/** A longer step is not parsed: it comes from outside, and not all parsing here is linear. */
const MAX_STEP_LENGTH = 65_536

/** Characters that must not reach a terminal. */
const CONTROL = /[^\P{Cc}\n\t]/gu

const json = (words: readonly string[]) => `[${words.map((word) => JSON.stringify(word)).join(', ')}]`

/** As comment lines, even if the text has several lines. */
const comment = (text: string) => text.split('\n').map((line) => `# ${line}`)

/** Rebuilds step by step: a `SHELL` instruction changes how the later ones read. */
class Rebuilder {
  #shell: readonly string[]

  constructor(os: string) {
    this.#shell = os === 'windows' ? WINDOWS_SHELL : UNIX_SHELL
  }

  /** The lines of one step. */
  step(createdBy: string): readonly string[] {
    if (createdBy.length > MAX_STEP_LENGTH) return comment(`a step of ${createdBy.length} characters`)
    const text = createdBy.replace(CONTROL, '\ufffd').trim()
    const bare = text.endsWith(BUILDKIT) ? text.slice(0, -BUILDKIT.length) : text.replace(NOP, '')
    const instruction = INSTRUCTION.exec(bare.trim())
    if (instruction !== null) return this.#instruction(instruction[1] ?? '', instruction[2]?.trim() ?? '')
    // The classic builder records a RUN as the bare command; other tools use their own words.
    return /^(?:\||\/|[A-Za-z]:\\|cmd |powershell )/.test(text)
      ? this.#run(text)
      : comment(text.replace(/^#\s*/, '') || 'a step without a word')
  }

  #instruction(name: string, rest: string): readonly string[] {
    switch (name) {
      case 'RUN':
        return this.#run(rest)
      case 'ADD':
      case 'COPY':
        return copy(name, rest)
      case 'CMD':
      case 'ENTRYPOINT':
        return [`${name} ${this.#command(rest)}`.trim()]
      case 'HEALTHCHECK':
        return [`HEALTHCHECK ${this.#healthcheck(rest)}`]
      case 'ENV':
      case 'LABEL':
        return [`${name} ${quotePairs(rest)}`]
      case 'EXPOSE':
        return [`EXPOSE ${(parseSet(rest) ?? parsePlainList(rest)).join(' ')}`]
      case 'VOLUME':
        return [`VOLUME ${json(parseQuotedList(rest) ?? parsePlainList(rest))}`]
      case 'SHELL':
        this.#shell = parseQuotedList(rest) ?? parsePlainList(rest)
        return [`SHELL ${json(this.#shell)}`]
      case 'STOPSIGNAL':
      case 'USER':
      case 'MAINTAINER':
      case 'ONBUILD':
        return [`${name} ${/^\[(.*)\]$/s.exec(rest)?.[1] ?? rest}`]
      default:
        return [`${name} ${rest}`.trim()]
    }
  }

  /** `|2 A=1 B=2 /bin/sh -c command`: the build arguments that the command saw, its shell, and the command. */
  #run(text: string): readonly string[] {
    const { buildArguments, command } = splitBuildArguments(text)
    const before = buildArguments === '' ? [] : comment(`build arguments: ${buildArguments}`)
    return [...before, ...this.#runCommand(command)]
  }

  #runCommand(command: string): readonly string[] {
    const own = `${this.#shell.join(' ')} `
    if (command.startsWith(own)) return shellForm(command.slice(own.length))
    const [, shell, script] = SHELL_FORM.exec(command) ?? []
    if (shell !== undefined && script !== undefined) return [`RUN ${json([...shell.split(/\s+/), script])}`]
    // BuildKit records the exec form as bare words.
    return [/^(?:\/|[A-Za-z]:\\)/.test(command) ? `RUN ${json(command.split(/\s+/))}` : `RUN ${command}`]
  }

  /** The shell form, if the list calls the shell, so that it reads as written. */
  #command(text: string): string {
    const words = parseQuotedList(text)
    if (words === undefined) return text
    const script = this.#shell.every((word, i) => word === words[i]) ? words.slice(this.#shell.length) : []
    const [only = ''] = script
    return script.length === 1 && only !== '' && !/^\[|\n/.test(only) ? only : json(words)
  }

  /** `&{["CMD-SHELL" "command"] "30s" "3s" "0s" "0s" '\x03'}`: test, interval, timeout, start period, …, retries. */
  #healthcheck(text: string): string {
    const end = text.lastIndexOf(']')
    const [kind, ...words] = (text.startsWith('&{[') && parseQuotedList(text.slice(2, end + 1))) || []
    const rest = text.slice(end + 1).replace(/\}$/, '')
    if (kind === undefined) return text
    if (kind === 'NONE') return 'NONE'
    const durations = [...rest.matchAll(/"([^"]*)"/g)].map(([, duration = '']) => duration)
    const names = ['interval', 'timeout', 'start-period', 'start-interval']
    const options = durations.flatMap((duration, i) =>
      /^0s?$/.test(duration) || names[i] === undefined ? [] : [`--${names[i]}=${duration}`],
    )
    const retries = parseRune(rest.trim().split(/\s+/).at(-1) ?? '')
    if (retries) options.push(`--retries=${retries}`)
    const command = kind === 'CMD-SHELL' ? words.join(' ') : json(words)
    return [...options, 'CMD', command].join(' ')
  }
}

function splitBuildArguments(text: string): { readonly buildArguments: string; readonly command: string } {
  const [, counted, rest = text] = /^\|(\d+)\s+(.*)$/s.exec(text) ?? []
  if (counted === undefined) return { buildArguments: '', command: text }
  // Values may have spaces: the arguments end where a shell, or else a path, begins.
  const start = rest.search(/(?:^|\s)(?:\/\S*sh\s+-|\/\S|powershell|cmd\s)/i)
  if (Number(counted) === 0 || start < 0) return { buildArguments: '', command: rest.trim() }
  return { buildArguments: rest.slice(0, start).trim(), command: rest.slice(start).trim() }
}

/** A heredoc delimiter that differs from every line of the text. */
function delimiterFor(text: string): string {
  const lines = new Set(text.split('\n'))
  for (let i = 0; ; i++) {
    const name = i === 0 ? 'EOF' : `EOF${i}`
    if (!lines.has(name)) return name
  }
}

/** A command of several lines was a heredoc; if its first line already has one, it stays unchanged. */
function shellForm(command: string): readonly string[] {
  const [first = '', ...lines] = command.split('\n')
  if (lines.length === 0) return [`RUN ${command}`]
  const terminator = HEREDOC.exec(first)?.[2]
  if (terminator !== undefined && lines.some((line) => line.trim() === terminator))
    return [`RUN ${first}`, ...lines]
  const delimiter = delimiterFor(command)
  return [`RUN <<${delimiter}`, ...command.replace(/\n$/, '').split('\n'), delimiter]
}

/** `COPY file:… in /x` from the classic builder, or `COPY src /x`. */
function copy(name: 'ADD' | 'COPY', rest: string): readonly string[] {
  const at = rest.lastIndexOf(' in ')
  const destination = rest.slice(at + 4)
  if (at > 0 && /^\S+$/.test(destination)) return [`${name} ${rest.slice(0, at)} ${destination}`]
  const terminator = HEREDOC.exec(rest)?.[2]
  if (terminator === undefined) return [`${name} ${rest}`]
  return [...comment('the content of the heredoc is not in the history'), `${name} ${rest}`, terminator]
}

/** `A=1 B=two words` as the history has it, quoted again: a pair begins where a name and `=` follow a space. */
function quotePairs(text: string): string {
  return text
    .split(/\s(?=[A-Za-z_][\w./-]*=)/)
    .map((pair) => {
      const [, name, value] = /^([^=\s]+)=(.*)$/s.exec(pair) ?? []
      if (name === undefined || value === undefined || !/[\s"'\\$]|^$/.test(value)) return pair
      return `${name}="${value.replace(/[\\"$]/g, '\\$&').replace(/\n/g, '\\n')}"`
    })
    .join(' ')
}

function layerComment(layer: Descriptor, index: number): string {
  return `# layer ${index}: ${layer.size} bytes compressed, ${layer.digest}`
}

/** Each step with its layer; undefined if the history does not say. */
function pairSteps(
  manifest: ImageManifest,
  config: ImageConfig,
): readonly { readonly step: HistoryStep; readonly index: number | undefined }[] | undefined {
  const made = config.history.filter((step) => !step.emptyLayer).length
  if (config.history.length === 0 || made !== manifest.layers.length) return undefined
  let next = 0
  return config.history.map((step) => ({ step, index: step.emptyLayer ? undefined : next++ }))
}

/** Ends with a line break. A comment above each step that made a layer has the layer's size in bytes. */
export function rebuildDockerfile(manifest: ImageManifest, config: ImageConfig): string {
  const { layers } = manifest
  const rebuilder = new Rebuilder(config.os)
  const lines = [
    '# Rebuilt from the history of the image, which names neither its base nor the files it copied.',
  ]
  const pairs = pairSteps(manifest, config)
  if (pairs === undefined) {
    if (layers.length > 0) lines.push('# It does not say which step made which layer.')
    lines.push(...layers.map(layerComment))
  }
  lines.push('FROM scratch')
  for (const { step, index } of pairs ?? config.history.map((step) => ({ step, index: undefined }))) {
    const layer = index === undefined ? undefined : layers[index]
    if (layer !== undefined && index !== undefined) lines.push('', layerComment(layer, index))
    lines.push(...rebuilder.step(step.createdBy ?? ''))
  }
  return `${lines
    .flatMap((line) => line.split('\n'))
    .map(uncommanded)
    .join('\n')}\n`
}

/**
 * A CI that logs the file would run lines that begin like this as commands. To a shell the result is the same: a colon
 * may be escaped, and a comment may have a blank.
 */
function uncommanded(line: string): string {
  return line.replace(/^(\s*)(?:(::)|##(?=\w*\[))/, (_, space: string, colons?: string) =>
    colons === undefined ? `${space}# #` : `${space}\\::`,
  )
}
