/** The check of heads finds files that do not say what they are for. */
import { expect, test } from 'vitest'
import { findMissingHead } from './heads.ts'

test.each([
  '/** Reads tars. */\nimport a from "a"',
  '// Reads tars.\n\nconst a = 1',
  '#!/usr/bin/env node\n/** Reads tars. */',
])('a file may start with %j', (text) => {
  expect(findMissingHead('src/a.ts', text)).toEqual([])
})

test.each([
  '',
  'import a from "a"\n/** Reads tars. */',
  '#!/usr/bin/env node\nimport a from "a"',
  '/// <reference path="a.d.ts" />',
])('a file may not start with %j', (text) => {
  expect(findMissingHead('src/a.ts', text)).toEqual([
    'src/a.ts does not start with a comment: say in a sentence what the file is for',
  ])
})
