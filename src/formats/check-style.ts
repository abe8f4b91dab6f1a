/** What the formats of a check receive besides the verdict. */
import type { ProblemDocument } from '../problem.ts'

export type CheckStyle = {
  /** Path of the file in the repository that findings point at. */
  readonly file: string
  /** Whether `text` has colours. */
  readonly colour: boolean
  /** Width of `text` in columns; 80 by default. */
  readonly width?: number
  /** Address of the report's page, if there is one. */
  readonly page?: string | undefined
}

/** The error, in place of a verdict. */
export type ProblemWords = Pick<ProblemDocument, 'code' | 'detail' | 'image'> & { readonly title: string }
