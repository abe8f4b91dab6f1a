/** Where an answer goes: stdout, or a file that appears complete or not at all. */
import { randomBytes } from 'node:crypto'
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Failure, systemReason } from './failure.ts'

export interface Output {
  write(chunk: Uint8Array | string): Promise<void>
  /** The answer is complete. */
  finish(): Promise<void>
  /** The answer will not be complete: no part of it stays in a file. */
  discard(): Promise<void>
}

/** The reader of stdout has left, as `head` does: there is nothing more to write. */
export class ReaderLeft extends Error {}

export function openOutput(file: string | undefined): Output {
  return file === undefined ? new Stdout() : new FileOutput(file)
}

class Stdout implements Output {
  constructor() {
    // Each write gets its own error.
    process.stdout.on('error', () => {})
  }

  write(chunk: Uint8Array | string): Promise<void> {
    return new Promise((resolve, reject) => {
      process.stdout.write(chunk, (error) => {
        if (!error) resolve()
        else if ('code' in error && error.code === 'EPIPE') reject(new ReaderLeft())
        else reject(new Failure('output_error', `cannot write to stdout: ${systemReason(error)}`))
      })
    })
  }

  async finish(): Promise<void> {}

  async discard(): Promise<void> {}
}

type Opened = { readonly handle: FileHandle; readonly temporary?: string; readonly target: string }

/** Written to a temporary file and renamed; a device such as `/dev/null` is written to directly. */
class FileOutput implements Output {
  readonly #file: string
  #opened: Opened | undefined

  constructor(file: string) {
    this.#file = file
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    await this.#attempt(async () => {
      this.#opened ??= await openTarget(this.#file)
      await this.#opened.handle.writeFile(chunk)
    })
  }

  async finish(): Promise<void> {
    await this.#attempt(async () => {
      const opened = this.#opened ?? (await openTarget(this.#file))
      await opened.handle.close()
      if (opened.temporary !== undefined) await rename(opened.temporary, opened.target)
    })
  }

  async discard(): Promise<void> {
    await this.#opened?.handle.close().catch(() => {})
    if (this.#opened?.temporary !== undefined) await rm(this.#opened.temporary, { force: true })
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      throw new Failure('output_error', `cannot write ${this.#file}: ${systemReason(error)}`)
    }
  }
}

async function openTarget(file: string): Promise<Opened> {
  const target = await realpath(file).catch(() => file)
  const there = await stat(target).catch(() => undefined)
  if (there !== undefined && !there.isFile()) return { handle: await open(target, 'w'), target }
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`)
  return { handle: await open(temporary, 'wx', there?.mode ?? 0o666), temporary, target }
}
