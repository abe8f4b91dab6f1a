/** What the API says, in the words of the command: flags for parameters, commands for headers and settings. */
import { flagOf } from './flags.ts'

/** Who reads the registries: this program, or a service with its own settings. */
export type Reader = 'command' | 'service'

export type ProblemWords = {
  readonly detail: string
  /** The parameter that a problem is about. */
  readonly parameter?: string | undefined
}

const PARAMETER = /^[a-z]\w*$/i

export function commandWords({ detail, parameter }: ProblemWords, reader: Reader): string {
  const flagged =
    parameter !== undefined && PARAMETER.test(parameter)
      ? detail.replace(new RegExp(`^${parameter}\\b`), flagOf(parameter))
      : detail
  const words = flagged
    .replace(/^(\S+)( requires credentials for .*); check the name, or send credentials/s, loginInstead)
    .replace(/^no rule given; the rules are (.*)$/, rulesAsFlags)
    .replace('send the nextCursor of the previous page, unchanged', 'give the cursor of the previous page')
    .replace('send one of its tokens as `Authorization: Bearer TOKEN`', 'set LAMINA_TOKEN to one of them')
  if (reader === 'service') return words
  return words
    .replace(
      /(?<=could not connect to (\S+): .*)add its CA to NODE_EXTRA_CA_CERTS/s,
      'name the file of its CA with --ca FILE, or skip the check with --insecure $1',
    )
    .replace(
      /(?<=could not connect to (\S+): .*)use a name that the certificate lists/s,
      '$&, or skip the check with --insecure $1',
    )
    .replace(
      /(?<=could not connect to (\S+): .*)to allow plain HTTP, add it to LAMINA_INSECURE_REGISTRIES: LAMINA_INSECURE_REGISTRIES=\1/s,
      'allow plain HTTP with --insecure $1',
    )
}

function rulesAsFlags(_: string, names: string): string {
  return `no rule given; give one of ${names.split(', ').map(flagOf).join(', ')}`
}

function loginInstead(_: string, registry: string, what: string): string {
  const host = registry === 'docker.io' ? '' : ` ${registry}`
  return `${registry}${what}; check the name, or run \`docker login${host}\``
}
