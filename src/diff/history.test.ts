import { expect, test } from 'vitest'
import type { LayerReport } from '../image/report.ts'
import type { HistoryStep, ImageConfig } from '../oci/config.ts'
import { alignHistories, diffHistories } from './history.ts'

const step = (createdBy: string, more: Partial<HistoryStep> = {}): HistoryStep => ({
  createdBy,
  emptyLayer: false,
  ...more,
})

function build(
  history: readonly HistoryStep[],
  layerCount = history.filter((one) => !one.emptyLayer).length,
) {
  const config: ImageConfig = {
    os: 'linux',
    architecture: 'amd64',
    config: { env: [], labels: {}, exposedPorts: [], volumes: [], onBuild: [] },
    diffIds: [],
    history,
  }
  const layers = Array.from(
    { length: layerCount },
    (_, index): LayerReport => ({
      index,
      digest: '',
      diffId: '',
      mediaType: '',
      compression: 'gzip',
      verified: 'content',
      compressedBytes: 0,
      uncompressedBytes: 100 + index,
      fileBytes: 0,
      entries: 0,
      wastedBytes: 0,
    }),
  )
  return { config, layers }
}

test('removed and added steps, in order, with the bytes of their layers', () => {
  const from = build([
    step('ADD base'),
    step('ENV A=1', { emptyLayer: true }),
    step('RUN old'),
    step('COPY app'),
  ])
  const to = build([
    step('ADD base', { created: '2026-01-01T00:00:00Z' }),
    step('RUN new'),
    step('COPY app'),
    step('RUN old'),
  ])
  expect(diffHistories(from, to)).toEqual({
    removed: [
      step('ENV A=1', { emptyLayer: true }),
      { ...step('RUN old'), layer: 1, uncompressedBytes: 101 },
    ],
    added: [
      { ...step('RUN new'), layer: 1, uncompressedBytes: 101 },
      { ...step('RUN old'), layer: 3, uncompressedBytes: 103 },
    ],
  })
})

test('a history that does not match the layers gives no layer bytes', () => {
  expect(diffHistories(build([]), build([step('RUN a'), step('RUN b')], 1))).toEqual({
    removed: [],
    added: [step('RUN a'), step('RUN b')],
  })
})

test('compares histories of thousands of steps that have nothing in common', () => {
  const many = (name: string) => build(Array.from({ length: 4_096 }, (_, i) => step(`${name} ${i}`)))
  const { added, removed } = diffHistories(many('a'), many('b'))
  expect([added.length, removed.length]).toEqual([4_096, 4_096])
})

test('side by side, changes between the same two steps are one line', () => {
  const from = build([step('FROM'), step('RUN a'), step('RUN b'), step('CMD', { emptyLayer: true })])
  const to = build([step('FROM'), step('RUN c'), step('CMD', { emptyLayer: true }), step('RUN d')])
  const told = alignHistories(from, to).map(({ from, to, same }) => [from?.createdBy, to?.createdBy, same])
  expect(told).toEqual([
    ['FROM', 'FROM', true],
    ['RUN a', 'RUN c', false],
    ['RUN b', undefined, false],
    ['CMD', 'CMD', true],
    [undefined, 'RUN d', false],
  ])
  expect(alignHistories(from, to)[1]?.to).toMatchObject({ layer: 1, uncompressedBytes: 101 })
})
