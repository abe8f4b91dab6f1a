import { expect, it } from 'vitest'
import { deletionLines, freedBytes, freedSentence } from './assets/deletion.js'

it('a group of contents is freed with the last of its tags', () => {
  const groups = [
    [[0], 5],
    [[0, 1], 70],
    [[2], 900],
  ] as const
  expect(freedBytes(groups, new Set())).toBe(0)
  expect(freedBytes(groups, new Set([0]))).toBe(5)
  expect(freedBytes(groups, new Set([0, 1]))).toBe(75)
})

it('says what goes', () => {
  expect(freedSentence(0, 0)).toBe('Tick tags to see what deleting them frees.')
  expect(freedSentence(1, 1_500)).toBe(
    'Deleting 1 tag frees 1.50 kB once the registry has collected its garbage.',
  )
})

it('an image is deleted by its digest, and only with all its tags', () => {
  const tags = [
    { name: 'latest', digest: 'sha256:a', goes: true },
    { name: 'v2', digest: 'sha256:a', goes: false },
    { name: 'v1', digest: 'sha256:b', goes: true },
    { name: 'v1.0', digest: 'sha256:b', goes: true },
    { name: 'v0', digest: 'sha256:c', goes: false },
  ]
  expect(deletionLines('crane', 'r.io/app', tags)).toBe(
    '# latest: not alone, v2 is the same image\ncrane delete r.io/app@sha256:b  # v1, v1.0',
  )
  expect(deletionLines('skopeo', 'r.io/app', tags.slice(2))).toBe(
    'skopeo delete docker://r.io/app@sha256:b  # v1, v1.0',
  )
})
