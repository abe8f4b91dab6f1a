/** A step of the history as an instruction of a Dockerfile, for fixes to quote and rewrite. */
import { buildStep } from '../oci/build-step.ts'

export type BuildStep = {
  /** `RUN`, `COPY`, … */
  readonly instruction: string
  /** On one line. */
  readonly arguments: string
}

/** A longer step adds nothing to a sentence. */
const MAX_QUOTED = 120

/** @param createdBy as in a history */
export function readStep(createdBy: string | undefined): BuildStep | undefined {
  if (createdBy === undefined) return undefined
  // Control characters and line breaks do not belong in a sentence, and a backtick would end the quotation.
  const text = buildStep(createdBy).replace(/[\p{C}\p{Z}`]+/gu, ' ')
  const [, instruction, rest] = /^(RUN|COPY|ADD|WORKDIR) (.*)$/.exec(text) ?? []
  return instruction === undefined || rest === undefined ? undefined : { instruction, arguments: rest.trim() }
}

/** The step with one more option; cut if it is long. */
export function instructionOf({ instruction, arguments: rest }: BuildStep, option: string): string {
  // The classic builder records a checksum instead of the files copied.
  const shown = rest.replace(/^(?:file|dir|multi):[0-9a-f]+ in /, '… ')
  const text = `${instruction} ${option} ${shown}`
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text
}

/**
 * How COPY would do what a RUN does with `chown` or `chmod`; undefined if it runs neither, or in a way that COPY cannot
 * express.
 */
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
