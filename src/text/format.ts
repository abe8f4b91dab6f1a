/** Numbers for people: three significant digits, decimal units. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** `854 B`, `85.4 MB`, `-1.20 GB`; whole bytes below a thousand. */
export function formatBytes(bytes: number): string {
  let rest = bytes
  let unit = 0
  // 999.5 kB would be written as 1,000 kB: it is 1.00 MB already.
  while (Math.abs(rest) >= (unit === 0 ? 1000 : 999.5) && unit < UNITS.length - 1) {
    rest /= 1000
    unit++
  }
  return `${unit === 0 ? rest : formatFigure(rest)} ${UNITS[unit]}`
}

/** `0.0123`, `9.87`, `12.3`, `1,235`. */
export function formatFigure(value: number): string {
  if (Math.abs(value) >= 999.5) return formatCount(Math.round(value))
  return Math.abs(value) < 1e-6 ? '0' : value.toPrecision(3)
}

/** `1,234,567` */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** `36.9%`, `-3.22%` */
export function formatPercent(percent: number): string {
  return `${formatFigure(percent)}%`
}

/** A growth with its sign: `+1.20 MB`, `-312 kB`, `0 B`. */
export function formatDelta(bytes: number): string {
  return bytes > 0 ? `+${formatBytes(bytes)}` : formatBytes(bytes)
}
