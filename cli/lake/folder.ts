/**
 * The folder of a lake. Files are written next to it and put in place together: a list of moves and removals is written
 * first, so that the next run can repeat it if this one is killed.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { z } from 'zod'
import type { TableName } from './tables.ts'

/** Readers of a lake skip names that begin with a dot. */
const WORK = '.work'

const commitSchema = z.object({
  /** New files, named as in the lake. */
  added: z.array(z.string()),
  removed: z.array(z.string()),
})
type Commit = z.infer<typeof commitSchema>

export class LakeFolder {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  /** Where the files of the next commit are written, with their final layout. */
  get incoming(): string {
    return join(this.#root, WORK, 'new')
  }

  /** Copies of objects, and what does not fit in memory. */
  get temporary(): string {
    return join(this.#root, WORK, 'temporary')
  }

  get lockFile(): string {
    return join(this.#root, WORK, 'lake.duckdb')
  }

  get #commitFile(): string {
    return join(this.#root, WORK, 'commit.json')
  }

  async prepare(): Promise<void> {
    await mkdir(join(this.#root, WORK), { recursive: true })
  }

  /** Finishes the commit that a killed run began, and removes its leftovers. Only one process may do so at a time. */
  async recover(): Promise<void> {
    const begun = await readFile(this.#commitFile, 'utf8').catch(() => undefined)
    if (begun !== undefined) await this.#apply(commitSchema.parse(JSON.parse(begun)))
    await this.#clear()
  }

  /** Moves everything written to `incoming` into place, and removes these files of the lake. */
  async commit(removed: readonly string[] = []): Promise<void> {
    const found = await readdir(this.incoming, { recursive: true, withFileTypes: true }).catch(() => [])
    const added = found
      .filter((file) => file.isFile())
      .map((file) => relative(this.incoming, join(file.parentPath, file.name)))
    const commit: Commit = { added, removed: [...removed] }
    await writeFile(`${this.#commitFile}.new`, JSON.stringify(commit), { flush: true })
    await rename(`${this.#commitFile}.new`, this.#commitFile)
    await this.#apply(commit)
    await this.#clear()
  }

  /** The files of a table by partition, relative to the lake. */
  async partitions(table: TableName): Promise<ReadonlyMap<string, readonly string[]>> {
    const names = await readdir(join(this.#root, table)).catch(() => [])
    const partitions = new Map<string, readonly string[]>()
    for (const name of names.filter((one) => one.startsWith('byte='))) {
      const files = await readdir(join(this.#root, table, name))
      partitions.set(
        name.slice('byte='.length),
        files.filter((file) => file.endsWith('.parquet')).map((file) => join(table, name, file)),
      )
    }
    return partitions
  }

  path(file: string): string {
    return join(this.#root, file)
  }

  async #apply({ added, removed }: Commit): Promise<void> {
    for (const file of added) {
      const target = this.path(file)
      await mkdir(dirname(target), { recursive: true })
      await rename(join(this.incoming, file), target).catch((error: unknown) => {
        // A killed run had moved it already.
        if (!isMissing(error)) throw error
      })
    }
    for (const file of removed) await rm(this.path(file), { force: true })
    await rm(this.#commitFile)
  }

  async #clear(): Promise<void> {
    for (const folder of [this.incoming, this.temporary]) {
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder)
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
