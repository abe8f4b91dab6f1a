/** A step of the history as an instruction of a Dockerfile: what a fix quotes and rewrites. */
import { buildStep } from '../oci/build-step.ts'

export type BuildStep = {
  /** `RUN`, `COPY`, … */
  readonly instruction: string
  /** On one line. */
  readonly arguments: string
}

/** More of a step says no more in a sentence. */
const MAX_QUOTED = 120

/** @param createdBy as a history has it */
export function readStep(createdBy: string | undefined): BuildStep | undefined {
  if (createdBy === undefined) return undefined
  // Controls and line breaks have no place in a sentence, and a backtick would end what is quoted.
  const text = buildStep(createdBy).replace(/[\p{C}\p{Z}`]+/gu, ' ')
  const [, instruction, rest] = /^(RUN|COPY|ADD|WORKDIR) (.*)$/.exec(text) ?? []
  return instruction === undefined || rest === undefined ? undefined : { instruction, arguments: rest.trim() }
}

/** The step with an option more; cut where it is long. */
export function instructionOf({ instruction, arguments: rest }: BuildStep, option: string): string {
  // The classic builder tells a checksum in place of what was copied.
  const shown = rest.replace(/^(?:file|dir|multi):[0-9a-f]+ in /, '… ')
  const text = `${instruction} ${option} ${shown}`
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text
}

/** How COPY would do what a RUN does with `chown` or `chmod`; undefined if it runs neither, or in a way that COPY cannot. */
export function optionOf({
  instruction,
  arguments: rest,
}: BuildStep):
  | { readonly option: 'chown' | 'chmod'; readonly value: string; readonly command: string }
  | undefined {
  if (instruction !== 'RUN') return undefined
  for (const command of rest.split(/&&|;/)) {
    const words = command.trim().split(' ')
    const [name, ...others] = words
    const value = others.find((word) => !word.startsWith('-'))
    if ((name !== 'chown' && name !== 'chmod') || value === undefined) continue
    if (!/^[\w.:,=+-]{1,64}$/.test(value)) continue
    const shown = words.join(' ')
    return {
      option: name,
      value,
      command: shown.length > MAX_QUOTED ? `${shown.slice(0, MAX_QUOTED)}…` : shown,
    }
  }
  return undefined
}
