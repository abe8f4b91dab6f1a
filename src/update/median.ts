/** The middle of some numbers. */

/** The value in the middle, or the mean of the two there, rounded down. @param values at least one */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  const [low = 0, high = 0] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]]
  return Math.floor((low + high) / 2)
}
