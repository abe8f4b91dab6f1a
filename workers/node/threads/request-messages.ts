/** Messages between the thread that answers HTTP and a request thread. */
import type { Descriptor } from '../../../src/oci/manifest.ts'
import type { SourceRef } from '../../../src/oci/source-ref.ts'
import type { ProblemDocument } from '../../../src/problem.ts'
import type { Authorization } from '../../../src/source/registry/auth/token.ts'
import type { ContentKind, ResolvedManifest } from '../../../src/source/source.ts'
import type { StoreOperation } from '../store/metered-store.ts'

export type RequestTask = {
  readonly requestId: string
  readonly method: string
  readonly url: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body?: string
}

/** What only the answering thread asks a source, since it remembers the answers. */
export type Question = { readonly ref: SourceRef } & (
  | { readonly ask: 'resolve'; readonly name: string }
  | { readonly ask: 'manifest'; readonly digest: string }
  | { readonly ask: 'config'; readonly descriptor: Descriptor }
  | { readonly ask: 'has'; readonly digest: string; readonly kind: ContentKind }
  | { readonly ask: 'authorization' }
)

export type Answer = ResolvedManifest | Uint8Array | boolean | Authorization | undefined

/** To the request's thread. */
export type RequestMessage =
  /** The reader of the body wants more. */
  | { readonly kind: 'pull' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'refusal'; readonly id: number; readonly problem: ProblemDocument }

/** From the request's thread. */
export type RequestSaid =
  | {
      readonly kind: 'head'
      readonly status: number
      readonly headers: readonly (readonly [string, string])[]
      readonly hasBody: boolean
    }
  | { readonly kind: 'chunk'; readonly chunk: Uint8Array }
  | { readonly kind: 'question'; readonly id: number; readonly question: Question }
  /** The facts in that index of an image are no longer true. */
  | { readonly kind: 'forgotten'; readonly index: string }
  | { readonly kind: 'stored'; readonly operations: readonly StoreOperation[] }
