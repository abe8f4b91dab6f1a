/** Lists as CSV (RFC 4180) that is safe to open in a spreadsheet: no cell is a formula. */

import { toJson } from '../text/json.ts'

/** The fields of a list's items, named as in JSON. */
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
  const text = typeof value === 'object' ? toJson(value) : String(value)
  // Spreadsheets would take such a cell for a formula.
  const safe = /^[=+\-@\t]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
