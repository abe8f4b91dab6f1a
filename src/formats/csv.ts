/** Lists as CSV (RFC 4180), which a spreadsheet can open: no cell of it is a formula. */

/** What a list's items have, under the names that JSON has for them. */
export type CsvItem = Readonly<Record<string, unknown>>

/** The header line. */
export function csvHeader(columns: readonly string[]): string {
  return csvLine(columns)
}

/** An item's line: nested values as compact JSON, absent ones empty. */
export function csvItem(columns: readonly string[], item: CsvItem): string {
  return csvLine(columns.map((column) => item[column]))
}

function csvLine(values: readonly unknown[]): string {
  return `${values.map(csvCell).join(',')}\r\n`
}

function csvCell(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  // Spreadsheets take such a cell for a formula.
  const safe = /^[=+\-@\t]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
