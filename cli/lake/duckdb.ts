/** DuckDB, which only `lamina lake` needs: a separately installed package, loaded on demand. */
import type { DuckDBConnection, Json } from '@duckdb/node-api'
import { Failure } from '../failure.ts'

/** The version that this was tested with. */
const DUCKDB = '@duckdb/node-api@1.5.6-r.1'

/** A database in a file that no other process has open. */
export class Database {
  readonly #connection: DuckDBConnection

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection
  }

  /**
   * @param file used as a lock; nothing is stored in it
   * @param temporary folder for what does not fit in memory
   * @throws Failure `duckdb_missing`; `lake_busy` if another process has the file open
   */
  static async open(file: string, temporary: string): Promise<Database> {
    const { DuckDBInstance } = await import('@duckdb/node-api').catch((error: unknown) => {
      throw missing(error)
    })
    const instance = await DuckDBInstance.create(file, { temp_directory: temporary }).catch(
      (error: unknown) => {
        throw busy(error)
      },
    )
    return new Database(await instance.connect())
  }

  async run(statement: string): Promise<void> {
    await this.#connection.run(statement)
  }

  async rows(query: string): Promise<Record<string, Json>[]> {
    return (await this.#connection.runAndReadAll(query)).getRowObjectsJson()
  }

  close(): void {
    this.#connection.closeSync()
  }
}

function missing(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) return error
  return new Failure(
    'duckdb_missing',
    `lamina lake needs DuckDB; install it beside lamina: npm install ${DUCKDB}`,
  )
}

function busy(error: unknown): unknown {
  if (!(error instanceof Error && /lock/i.test(error.message))) return error
  return new Failure('lake_busy', 'another lamina lake is writing to this folder; wait until it ends')
}

/** A text as an SQL literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

export function listOf(texts: readonly string[]): string {
  return `[${texts.map(quoted).join(', ')}]`
}
