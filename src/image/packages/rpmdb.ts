/** rpm's database since 4.16: an SQLite file whose table `Packages` holds a header a package. */
import initSqlJs, { type Database, type SqlJsStatic } from 'sql.js'

/**
 * The header blobs, one at a time.
 *
 * @param file the whole `rpmdb.sqlite`
 * @throws Error where it is no such database
 */
export async function* rpmHeaders(file: Uint8Array, sqlite: WebAssembly.Module): AsyncGenerator<Uint8Array> {
  const { Database } = await load(sqlite)
  const database = new Database(file)
  try {
    if (!holdsPlainBlobs(database)) throw new Error('the database has no Packages table')
    const statement = database.prepare('SELECT blob FROM Packages')
    while (statement.step()) {
      const [blob] = statement.get()
      if (blob instanceof Uint8Array) yield blob
    }
  } finally {
    database.close()
  }
}

/** A view, a virtual table or a computed column could make anything of a few bytes; rpm has none of them. */
function holdsPlainBlobs(database: Database): boolean {
  const [result] = database.exec(`
    SELECT 1 FROM sqlite_schema AS relation, pragma_table_xinfo('Packages') AS field
    WHERE relation.type = 'table' AND relation.name = 'Packages' AND relation.rootpage > 0
      AND field.name = 'blob' AND field.hidden = 0`)
  return result !== undefined
}

/** sql.js keeps its first instance, so the module is instantiated once. */
function load(sqlite: WebAssembly.Module): Promise<SqlJsStatic> {
  const config = {
    instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) {
      WebAssembly.instantiate(sqlite, imports).then(done)
      return {}
    },
  }
  return withLocation(() => initSqlJs(config))
}

/** Emscripten's loader reads `self.location.href` wherever there is a WorkerGlobalScope; workerd has that, but no location. */
function withLocation<T>(start: () => T): T {
  if ('location' in globalThis) return start()
  Reflect.set(globalThis, 'location', { href: 'about:blank' })
  try {
    return start()
  } finally {
    Reflect.deleteProperty(globalThis, 'location')
  }
}
