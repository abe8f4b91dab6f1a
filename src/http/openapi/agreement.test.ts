/** The compiler checks that the shapes the code produces are those that the documentation promises. */
import type { z } from '@hono/zod-openapi'
import { expectTypeOf, test } from 'vitest'
import type { Endpoint } from '../../badge/draw.ts'
import type { FileChange } from '../../diff/change.ts'
import type { Diff } from '../../diff/summary.ts'
import type { TextDiff } from '../../diff/text.ts'
import type { Verdict } from '../../gate/verdict.ts'
import type { DuplicateGroup, Package, Report, WastedFile } from '../../image/report.ts'
import type { TreeNode } from '../../image/tree.ts'
import type { ProblemBody } from '../problems.ts'
import type { badgeSchema } from '../routes/badge.schema.ts'
import type { verdictSchema } from '../routes/check.schema.ts'
import type { diffSchema, fileChangeSchema, textDiffSchema } from '../routes/diff.schema.ts'
import type { Tree } from '../routes/files.schema.ts'
import type { packageSchema } from '../routes/packages.schema.ts'
import type { problemSchema } from '../routes/problem.schema.ts'
import type { reportSchema } from '../routes/report.schema.ts'
import type { duplicateGroupSchema, wastedFileSchema } from '../routes/waste.schema.ts'

/** Without `readonly`, and without the difference between a property that is absent and one that is undefined. */
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Name in keyof T]: Plain<Exclude<T[Name], undefined>> }
    : T

type Shown<Schema extends z.ZodType> = Plain<z.output<Schema>>

test('answers have the promised types', () => {
  expectTypeOf<Shown<typeof reportSchema>>().toEqualTypeOf<Plain<Report>>()
  expectTypeOf<Shown<typeof wastedFileSchema>>().toEqualTypeOf<Plain<WastedFile>>()
  expectTypeOf<Shown<typeof duplicateGroupSchema>>().toEqualTypeOf<Plain<DuplicateGroup>>()
  expectTypeOf<Shown<typeof packageSchema>>().toEqualTypeOf<Plain<Package>>()
  expectTypeOf<Plain<Tree>>().toEqualTypeOf<Plain<TreeNode>>()
  expectTypeOf<Shown<typeof fileChangeSchema>>().toEqualTypeOf<Plain<FileChange>>()
  expectTypeOf<Shown<typeof textDiffSchema>>().toEqualTypeOf<Plain<TextDiff>>()
  expectTypeOf<Plain<ProblemBody>>().toExtend<Shown<typeof problemSchema>>()
  expectTypeOf<Plain<Verdict>>().toExtend<Shown<typeof verdictSchema>>()
  expectTypeOf<Plain<Diff>>().toExtend<Shown<typeof diffSchema>>()
  expectTypeOf<Plain<Endpoint>>().toExtend<Shown<typeof badgeSchema>>()
})
