/** Which tool built an image, as far as its config says. */
import type { HistoryStep, ImageConfig } from '../oci/config.ts'

export type Builder = 'buildkit' | 'buildah' | 'kaniko' | 'jib' | 'ko' | 'nix' | 'bazel' | 'unknown'

/** What each tool writes into the history. */
const STEPS: readonly (readonly [Builder, (step: HistoryStep) => boolean])[] = [
  ['jib', ({ createdBy = '' }) => /^jib-[a-z-]+:/.test(createdBy)],
  ['ko', ({ createdBy = '' }) => createdBy.startsWith('ko build ')],
  ['bazel', ({ createdBy = '' }) => createdBy.startsWith('bazel build ')],
  ['nix', ({ comment = '' }) => comment.startsWith('store paths: ')],
  ['buildkit', ({ comment = '' }) => comment.startsWith('buildkit.')],
  ['buildah', ({ comment = '' }) => comment.startsWith('FROM ')],
]

/** The last step that names a tool decides: earlier ones may be the base image's. */
export function builderOf({ author, history }: Pick<ImageConfig, 'author' | 'history'>): Builder {
  if (author === 'kaniko') return 'kaniko'
  for (const step of history.toReversed()) {
    const found = STEPS.find(([, matches]) => matches(step))
    if (found !== undefined) return found[0]
  }
  return 'unknown'
}
