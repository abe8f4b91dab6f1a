import { vi } from 'vitest'

/** Whether there is time: `npm run test:long`. */
export const LONG = process.env.LAMINA_LONG === '1'

/** How often a property is tried. Where there is time its test may take a quarter of an hour. */
export function tries(some: number, many: number): number {
  if (LONG) vi.setConfig({ testTimeout: 900_000 })
  return LONG ? many : some
}
