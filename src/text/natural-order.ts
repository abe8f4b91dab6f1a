/** The order of names that people expect: numbers in them by value, so that `v9` comes before `v10`. */
import naturalCompare from 'natural-compare'

/** For `sort`; never 0 for two different names. */
export function compareNames(a: string, b: string): number {
  return naturalCompare(a, b) || (a < b ? -1 : a > b ? 1 : 0)
}
