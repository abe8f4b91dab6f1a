/** Receives the members that only hard links name as databases, archives or runtimes, when they are read again. */
import type { PathKey } from '../text/path.ts'
import type { DatabaseSink } from './database.ts'
import { type ExaminedSink, FileExaminer } from './examine.ts'
import { type LayerWarning, LayerWarnings } from './warnings.ts'

/** Passes on databases as they are, and of the other members what is inside. */
export class LinkedSink implements DatabaseSink {
  readonly #sink: DatabaseSink & ExaminedSink
  readonly #databases: ReadonlySet<number>
  readonly #examiner: FileExaminer
  readonly #warnings = new LayerWarnings()
  /** Undefined for a database. */
  #examined: { readonly key: PathKey; readonly ordinal: number } | undefined

  /** @param databases their ordinals */
  constructor(sink: DatabaseSink & ExaminedSink, databases: ReadonlySet<number>) {
    this.#sink = sink
    this.#databases = databases
    this.#examiner = new FileExaminer(sink)
  }

  open(key: PathKey, bytes: number, ordinal: number): void | Promise<void> {
    this.#examined = this.#databases.has(ordinal) ? undefined : { key, ordinal }
    return this.#examined === undefined
      ? this.#sink.open(key, bytes, ordinal)
      : this.#examiner.open(key, bytes)
  }

  write(chunk: Uint8Array): void | Promise<void> {
    return this.#examined === undefined ? this.#sink.write(chunk) : this.#examiner.write(chunk)
  }

  async close(): Promise<void> {
    if (this.#examined === undefined) return this.#sink.close()
    const { key, ordinal } = this.#examined
    const found = await this.#examiner.close()
    if (found !== undefined && (await this.#sink.examined(key, ordinal, found)) === 'left out')
      this.#warnings.add('examinedTooLarge', key)
  }

  get warnings(): readonly LayerWarning[] {
    return this.#warnings.list()
  }

  /** Removes what was put aside. */
  release(): Promise<void> {
    return this.#examiner.release()
  }
}
