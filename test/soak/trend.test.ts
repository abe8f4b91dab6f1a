/** Which figures count as flat. */
import { expect, it } from 'vitest'
import { Random } from '../support/random.ts'
import { trendOf } from './trend.ts'

/** An hour of samples around 300, as noisy as a garbage collector makes them. */
function hour(shape: (minute: number) => number, seed = 1) {
  const random = new Random(seed)
  return Array.from({ length: 720 }, (_, n) => ({
    seconds: n * 5,
    value: shape(n / 12) + random.below(60) - 30,
  }))
}

it('noise around one value is flat', () => {
  for (let seed = 0; seed < 20; seed++) expect(trendOf(hour(() => 300, seed))).toMatchObject({ isFlat: true })
})

it('growth of a tenth in twenty minutes is not flat, at any noise', () => {
  for (let seed = 0; seed < 20; seed++) {
    const trend = trendOf(hour((minute) => 300 + 1.5 * minute, seed))
    expect(trend.isFlat).toBe(false)
    expect(Math.abs(trend.growth - 30)).toBeLessThan(3 * trend.error)
  }
})

it('a figure that grows only during warm-up is flat', () => {
  expect(trendOf(hour((minute) => (minute < 20 ? 100 + 10 * minute : 300)))).toMatchObject({ isFlat: true })
})

it('a falling figure is flat', () => {
  expect(trendOf(hour((minute) => 400 - minute))).toMatchObject({ isFlat: true })
})

it('one more item in twenty minutes is growth unless it is allowed', () => {
  const samples = Array.from({ length: 720 }, (_, n) => ({ seconds: n * 5, value: Math.floor(n / 120) }))
  expect(trendOf(samples).isFlat).toBe(false)
  expect(trendOf(samples, 3).isFlat).toBe(true)
})
