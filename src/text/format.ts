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
  return Math.abs(value) < 1e-6 ? '0' : rounded(value)
}

/** Three digits, rounded half up as the number is written: 1.035 is 1.04, though its nearest binary fraction is below. */
function rounded(value: number): string {
  const size = Math.abs(value)
  const places = 2 - Number(size.toExponential().split('e')[1])
  const digits = Math.round(Number(`${size}e${places}`))
  const isCarried = digits === 1000
  const text = Number(`${digits}e${-places}`).toFixed(Math.max(isCarried ? places - 1 : places, 0))
  return value < 0 ? `-${text}` : text
}

/** `1,234,567` */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** `1 file`, `1,234 files` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

/** `36.9%`, `-3.22%`; what is not all of it never reads as 100%. */
export function formatPercent(percent: number): string {
  return percent >= 99.95 && percent < 100 ? '99.9%' : `${formatFigure(percent)}%`
}

/** A growth with its sign: `+1.20 MB`, `-312 kB`, `0 B`. */
export function formatDelta(bytes: number): string {
  return bytes > 0 ? `+${formatBytes(bytes)}` : formatBytes(bytes)
}
