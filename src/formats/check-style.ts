/** What the formats of a check are told beside the verdict. */
import type { ProblemDocument } from '../problem.ts'

export type CheckStyle = {
  /** Path of the file in the repository that findings point at. */
  readonly file: string
  /** Whether `text` has colours. */
  readonly colour: boolean
  /** Address of the report's page. */
  readonly page: string
}

/** What went wrong, in place of a verdict. */
export type ToldProblem = Pick<ProblemDocument, 'code' | 'detail' | 'image'> & { readonly title: string }
