/** Completion of commands, flags and their values: a script that does not run this program. */

import type { Command as Parser } from 'commander'
import type { Api } from './api.ts'
import { COMMANDS } from './commands.ts'
import { Failure } from './failure.ts'

export type Shell = 'bash' | 'zsh' | 'fish'

type Words = { readonly name: string; readonly summary: string; readonly flags: readonly Flag[] }
type Flag = {
  readonly long: string
  readonly short?: string | undefined
  readonly help: string
  readonly takesValue: boolean
  readonly values: readonly string[]
}

/** @throws Failure for another shell */
export function completionScript(shell: string, program: Parser, api: Api): string {
  const words = wordsOf(program, api)
  switch (shell) {
    case 'bash':
      return bash(words)
    case 'zsh':
      return zsh(words)
    case 'fish':
      return fish(words)
    default:
      throw new Failure('invalid_parameter', `the shell must be bash, zsh or fish`)
  }
}

function wordsOf(program: Parser, api: Api): readonly Words[] {
  return program.commands.flatMap((parser) =>
    [parser.name(), ...parser.aliases()].map((name) => ({
      name,
      summary: parser.summary() || parser.description(),
      flags: [
        ...parser.options.map(
          ({ long, short, description, required }): Flag => ({
            long: long ?? '',
            short,
            help: description.replace(/ \(.*$/s, ''),
            takesValue: required,
            values: required ? valuesOf(parser.name(), long ?? '', api) : [],
          }),
        ),
        { long: '--help', short: '-h', help: 'Show this help', takesValue: false, values: [] },
      ],
    })),
  )
}

function valuesOf(name: string, long: string, api: Api): readonly string[] {
  const command = COMMANDS.find((one) => one.name === name)
  if (command === undefined) return []
  if (long === '--format') return command.formats
  for (const endpoint of command.endpoints)
    for (const parameter of api[endpoint] ?? [])
      if (`--${parameter.name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}` === long)
        return parameter.values ?? []
  return []
}

function bash(words: readonly Words[]): string {
  const flags = words.map(
    ({ name, flags }) => `    ${name}) flags='${flags.map(({ long }) => long).join(' ')}' ;;`,
  )
  const values = words.flatMap(({ name, flags }) =>
    flags
      .filter((flag) => flag.values.length > 0)
      .map(
        (flag) =>
          `    '${name} ${flag.long}') COMPREPLY=($(compgen -W '${flag.values.join(' ')}' -- "$word")); return ;;`,
      ),
  )
  return `# bash completion of lamina: source <(lamina completion bash)
_lamina() {
  local word=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]} before=\${COMP_WORDS[COMP_CWORD-1]} flags=''
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${words.map(({ name }) => name).join(' ')} help' -- "$word"))
    return
  fi
  case "$command $before" in
${values.join('\n')}
    *' --output' | *' -o' | *' --policy' | *' --dive-ci' | *' --dockerfile' | *' -f' | *' --list')
      COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  case "$command" in
${flags.join('\n')}
    help) COMPREPLY=($(compgen -W '${words.map(({ name }) => name).join(' ')}' -- "$word")); return ;;
  esac
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$word")); fi
}
complete -o bashdefault -F _lamina lamina
`
}

/** For use within single quotes of a shell. */
function quoted(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`
}

function zsh(words: readonly Words[]): string {
  const escaped = (text: string) => text.replace(/[\\:[\]]/g, '\\$&')
  const commands = words.map(({ name, summary }) => `    ${quoted(`${name}:${escaped(summary)}`)}`)
  const cases = words.map(({ name, flags }) => {
    const specs = flags.map(({ long, help, takesValue, values }) => {
      const choice = values.length > 0 ? `(${values.join(' ')})` : '_files'
      return quoted(`*${long}[${escaped(help)}]${takesValue ? `:value:${choice}` : ''}`)
    })
    return `    ${name}) _arguments -s ${specs.join(' ')} '*:image:' ;;`
  })
  return `#compdef lamina
# zsh completion of lamina: source <(lamina completion zsh)
_lamina() {
  local -a commands=(
${commands.join('\n')}
  )
  if ((CURRENT == 2)); then _describe command commands; return; fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join('\n')}
  esac
}
compdef _lamina lamina
`
}

function fish(words: readonly Words[]): string {
  const fishQuoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`
  const lines = words.flatMap(({ name, summary, flags }) => [
    `complete -c lamina -n __fish_use_subcommand -f -a ${name} -d ${fishQuoted(summary)}`,
    ...flags.map(({ long, short, help, takesValue, values }) => {
      const letter = short === undefined ? '' : ` -s ${short.slice(1)}`
      const value = !takesValue ? '' : values.length > 0 ? ` -x -a ${fishQuoted(values.join(' '))}` : ' -r'
      return `complete -c lamina -n '__fish_seen_subcommand_from ${name}' -l ${long.slice(2)}${letter}${value} -d ${fishQuoted(help)}`
    }),
  ])
  return `# fish completion of lamina: lamina completion fish | source\n${lines.join('\n')}\n`
}
