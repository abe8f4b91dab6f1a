/** Whether long runs are requested: `npm run test:long`. */
export const LONG = process.env.LAMINA_LONG === '1'

/** How often a property is tried. */
export function tries(some: number, many: number): number {
  return LONG ? many : some
}
