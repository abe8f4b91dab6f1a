/** What a step of GitHub Actions receives and returns: inputs, outputs, the job's summary, workflow commands. */
import { appendFile } from 'node:fs/promises'
import { terminalLine, terminalText } from '../../src/formats/escape.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** As the runner names them: upper case, spaces become `_`. Empty if absent. */
export function input(env: Environment, name: string): string {
  return (env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] ?? '').trim()
}

/** YAML 1.2's booleans, as the runner's own actions read them. @throws Error for other values */
export function flag(env: Environment, name: string, usual: boolean): boolean {
  const value = input(env, name)
  if (value === '') return usual
  if (/^(true|True|TRUE)$/.test(value)) return true
  if (/^(false|False|FALSE)$/.test(value)) return false
  throw new Error(`the input ${name} must be true or false`)
}

/** Values of one line. */
export async function writeOutputs(
  env: Environment,
  outputs: Readonly<Record<string, string>>,
): Promise<void> {
  const lines = Object.entries(outputs).map(([name, value]) => `${name}=${value}\n`)
  if (env.GITHUB_OUTPUT) await appendFile(env.GITHUB_OUTPUT, lines.join(''))
}

/** GitHub's limit on a step's summary, in bytes. */
const SUMMARY_BYTES = 1024 * 1024

export async function writeSummary(env: Environment, markdown: string): Promise<void> {
  if (env.GITHUB_STEP_SUMMARY && Buffer.byteLength(markdown) <= SUMMARY_BYTES)
    await appendFile(env.GITHUB_STEP_SUMMARY, markdown)
}

/** An annotation of the run. */
export function annotate(kind: 'error' | 'warning' | 'notice', message: string): void {
  const data = terminalText(message).replaceAll('%', '%25')
  process.stdout.write(`::${kind} title=Lamina::${data}\n`)
}

/** A line of the log, in which no name can become a command. */
export function log(line: string): void {
  process.stdout.write(`${terminalLine(terminalText(line))}\n`)
}
