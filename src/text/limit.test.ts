import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isWithinPercent,
  parseBytesLimit,
  parseCountLimit,
  parseGrowthLimit,
  parsePercentLimit,
  parseRatioLimit,
  parseSeriesLimit,
  percentAsRatio,
  ratioAsPercent,
  toNumber,
} from './limit.ts'

const numRuns = process.env.LAMINA_LONG ? 20_000 : 500

function refusal(read: () => unknown) {
  try {
    return { value: read() }
  } catch (error) {
    return error
  }
}

const refused = expect.objectContaining({ code: 'invalid_parameter', fields: { parameter: 'maxSize' } })

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['1048576', 1_048_576],
    ['12B', 12],
    ['1kB', 1000],
    ['1KiB', 1024],
    ['200MB', 200_000_000],
    ['1.5GiB', 3 * 2 ** 29],
    ['0.1MB', 100_000],
    ['1.1kB', 1100],
    ['0.29kB', 290],
    ['1.9', 1],
    ['007', 7],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007.199254740991TB', Number.MAX_SAFE_INTEGER],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseBytesLimit(text, 'maxSize')).toBe(bytes)
  })

  test.each([
    ...['', ' ', 'plenty', '-1', '+1', '1k', '1K', '1KB', '1kiB', '1mb', '.5MB', '1.MB', '1e3', '1 MB', ' 1'],
    ...[
      '1MB ',
      '1MBs',
      '1,5MB',
      '1..5',
      '1.2.3',
      '0x10',
      'NaN',
      'Infinity',
      '10%',
      '1\n',
      '٣',
      '9007199254740992',
    ],
    ...['9007199254740992B', '8192TiB', '9'.repeat(50), '1MB\0'],
  ])('%j is not a size', (text) => {
    expect(refusal(() => parseBytesLimit(text, 'maxSize'))).toEqual(refused)
  })

  test('a size is the largest whole number of bytes that it allows', () => {
    const part = fc.stringMatching(/^\d{1,6}$/)
    fc.assert(
      fc.property(
        part,
        part,
        fc.constantFrom(['kB', 1000n], ['MiB', 2n ** 20n]),
        (whole, fraction, [unit, factor]) => {
          const bytes = BigInt(parseBytesLimit(`${whole}.${fraction}${unit}`, 'maxSize'))
          const exact = BigInt(whole + fraction) * BigInt(factor)
          const one = 10n ** BigInt(fraction.length)
          expect(bytes * one <= exact && exact < (bytes + 1n) * one).toBe(true)
        },
      ),
      { numRuns },
    )
  })
})

describe('numbers', () => {
  test('digits only', () => {
    expect(parseCountLimit('127', 'maxLayers')).toBe(127)
  })
  test.each(['', 'ten', '-1', '1.0', '1e3', ' 1', '9007199254740992', '1MB'])(
    '%j is not a number',
    (text) => {
      expect(refusal(() => parseCountLimit(text, 'maxSize'))).toEqual(refused)
    },
  )
})

describe('percentages', () => {
  test.each([
    ['10', 10],
    ['10%', 10],
    ['12.5%', 12.5],
    ['0', 0],
    ['250%', 250],
  ])('%s', (text, percent) => {
    expect(toNumber(parsePercentLimit(text, 'maxSize'))).toBe(percent)
  })
  test.each(['', '%', '-1%', '10MB', '10 %', '10%%', 'ten'])('%j is not a percentage', (text) => {
    expect(refusal(() => parsePercentLimit(text, 'maxSize'))).toEqual(refused)
  })

  test('7 of 100 are within 7 %, but not within slightly less', () => {
    expect(isWithinPercent(7, 100, parsePercentLimit('7', 'x'))).toBe(true)
    expect(isWithinPercent(7, 100, parsePercentLimit('6.99999999999999999999999999', 'x'))).toBe(false)
  })

  test('a part never exceeds its percentage', () => {
    const percent = fc.integer({ min: 0, max: 100_000 })
    fc.assert(
      fc.property(percent, fc.integer({ min: 1, max: 2 ** 40 }), (thousandths, whole) => {
        const limit = parsePercentLimit((thousandths / 1000).toFixed(3), 'x')
        const part = Number((BigInt(thousandths) * BigInt(whole)) / 100_000n)
        expect(isWithinPercent(part, whole, limit)).toBe(true)
        expect(isWithinPercent(part + 1, whole, limit)).toBe(false)
      }),
      { numRuns },
    )
  })

  test('a ratio equal to the percentage is not above it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (hundredths) => {
        const limit = percentAsRatio(parsePercentLimit((hundredths / 100).toFixed(2), 'x'))
        expect(hundredths / 10_000).toBe(limit)
        expect(ratioAsPercent(hundredths / 10_000)).toBe(hundredths / 100)
      }),
      { numRuns },
    )
  })
})

describe('ratios', () => {
  test.each([
    ['0', 0],
    ['1', 1],
    ['0.9', 0.9],
    ['1.000', 1],
  ])('%s', (text, ratio) => {
    expect(parseRatioLimit(text, 'minEfficiency')).toBe(ratio)
  })
  test.each(['', '90', '1.01', '-0.1', '.9', '90%', '1.00000000000000000000000001'])(
    '%j is not a ratio',
    (text) => {
      expect(refusal(() => parseRatioLimit(text, 'maxSize'))).toEqual(refused)
    },
  )
})

describe('growth', () => {
  test('bytes or percent', () => {
    expect(parseGrowthLimit('5MB', 'maxGrowth')).toEqual({ bytes: 5_000_000 })
    expect(parseGrowthLimit('5', 'maxGrowth')).toEqual({ bytes: 5 })
    expect(parseGrowthLimit('5.5%', 'maxGrowth')).toEqual({ percent: { digits: 55n, scale: 1 } })
  })
  test.each(['-5%', '-5', '5MB%', ''])('%j is neither', (text) => {
    expect(refusal(() => parseGrowthLimit(text, 'maxSize'))).toEqual(refused)
  })
})

describe('growth over many images', () => {
  test('bytes or percent, and a number of images', () => {
    expect(parseSeriesLimit('10%/30', 'maxGrowthOver')).toEqual({
      growth: { percent: { digits: 10n, scale: 0 } },
      last: 30,
    })
    expect(parseSeriesLimit('1.5MB/1', 'maxGrowthOver')).toEqual({ growth: { bytes: 1_500_000 }, last: 1 })
  })
  test.each(['10%', '10%/', '/30', '10%/0', '10%/1001', '10%/3/3', '10%/-1', '10%/1.5', 'x/3'])(
    '%j is not both',
    (text) => {
      expect(refusal(() => parseSeriesLimit(text, 'maxSize'))).toEqual(refused)
    },
  )
})
