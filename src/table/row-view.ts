/** Views of rows: how properties get their values. */
export type RowSource = {
  /** @param field number of the field in the schema */
  get(field: number, row: number): unknown
}

/** Makes the view of one row. */
export type ViewRow<Row> = (source: RowSource, row: number) => Row

const SOURCE = Symbol('source')
const ROW = Symbol('row')

type View = { readonly [SOURCE]: RowSource; readonly [ROW]: number }

/**
 * One class for all rows of a schema, however many tables are open: two references per row, and a getter for each property.
 *
 * @param names of the row's properties, in the order of the schema's fields
 */
export function viewsOf<Row>(names: readonly (keyof Row)[]): ViewRow<Row> {
  class RowView implements View {
    readonly [SOURCE]: RowSource
    readonly [ROW]: number

    constructor(source: RowSource, row: number) {
      this[SOURCE] = source
      this[ROW] = row
    }
  }
  for (const [field, name] of names.entries()) {
    Object.defineProperty(RowView.prototype, name, {
      enumerable: true,
      get(this: View) {
        return this[SOURCE].get(field, this[ROW])
      },
    })
  }
  // The type system cannot see that the getters make it a `Row`.
  return (source, row) => new RowView(source, row) as unknown as Row
}
