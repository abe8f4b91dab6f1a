import { expect, test } from 'vitest'
import { LOGOS } from './logos.ts'
import { chosenIcons } from './make-logos.ts'

test('the logos are those of simple-icons', () => {
  const logos = [...LOGOS].map(([name, { color, path }]) => [name, color, path])
  expect(JSON.stringify(logos) === JSON.stringify(chosenIcons())).toBe(true)
  expect(LOGOS.has('docker')).toBe(true)
  expect(LOGOS.size).toBeGreaterThanOrEqual(12)
})
