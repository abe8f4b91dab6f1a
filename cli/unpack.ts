/** A bundle unpacked into a folder by the system's tar, which handles owners, devices and attributes. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Failure, systemReason } from './failure.ts'

/**
 * All or nothing: unpacked beside its destination and renamed.
 *
 * @param folder must not exist, or be empty
 */
export async function unpack(
  folder: string,
  signal: AbortSignal,
  open: () => Promise<Response>,
): Promise<void> {
  const target = resolve(folder)
  const names = await readdir(target).catch((error) => {
    if (error.code === 'ENOENT') return undefined
    throw new Failure('output_error', `cannot use ${folder}: ${systemReason(error)}`)
  })
  if (names !== undefined && names.length > 0) throw new Failure('output_error', `${folder} is not empty`)
  const response = await open()
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`)
  try {
    // It may have setuid files and devices, which other users of the machine must not reach.
    await mkdir(temporary, { mode: 0o700 })
    await extractTar(response, temporary, { signal, options: ['-p'] })
    if (names !== undefined) await rmdir(target)
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error instanceof Failure || signal.aborted
      ? error
      : new Failure('output_error', `cannot write ${folder}: ${systemReason(error)}`)
  }
}

export type TarOptions = {
  readonly signal: AbortSignal
  /** Of the system's tar. */
  readonly options: readonly string[]
}

/** @throws Failure `output_error` if not all of it could be written */
export async function extractTar(
  response: Response,
  folder: string,
  { signal, options }: TarOptions,
): Promise<void> {
  const child = spawn('tar', ['-x', ...options, '-f', '-', '-C', folder], {
    stdio: ['pipe', 'ignore', 'pipe'],
    signal,
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 2_000)
  })
  const ended = new Promise<number | null>((done, fail) => {
    child.on('error', fail)
    child.on('close', done)
  })
  // tar itself reports what it could not write.
  child.stdin.on('error', () => {})
  const feed = async () => {
    for await (const chunk of response.body ?? [])
      if (!child.stdin.write(chunk))
        await Promise.race([new Promise((go) => child.stdin.once('drain', go)), ended])
    child.stdin.end()
  }
  const [code] = await Promise.all([
    ended,
    feed().catch((error) => {
      child.kill()
      throw error
    }),
  ])
  if (code !== 0) throw new Failure('output_error', `tar could not unpack it: ${said.split('\n')[0]}`)
}
