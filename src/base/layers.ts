/** Which of an image's layers are its base's: the beginning of its diffIds, so that compression does not matter. */
import { createHash } from 'node:crypto'
import { type ImageConfig, nonEmptyHistory } from '../oci/config.ts'

/** Whether all of `base` is the beginning of `diffIds`, or all of it; an image without layers is nobody's base. */
export function isBeginning(base: readonly string[], diffIds: readonly string[]): boolean {
  return base.length > 0 && base.length <= diffIds.length && base.every((diffId, i) => diffId === diffIds[i])
}

/** The chain IDs of all beginnings, shortest first. OCI image-spec v1.1, `config.md`, "Layer ChainID". */
export function chainIds(diffIds: readonly string[]): readonly string[] {
  const chain: string[] = []
  for (const diffId of diffIds) {
    const below = chain.at(-1)
    chain.push(
      below === undefined
        ? diffId
        : `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`,
    )
  }
  return chain
}

/** Builds of one image rarely pause longer. */
const PAUSE_MILLISECONDS = 3_600_000
const STARTS = /^(?:\/bin\/sh -c #\(nop\)\s+)?(?:CMD|ENTRYPOINT)\b/

/**
 * A guess by the history: the number of layers before the last step that is later than all before it by more than an hour and
 * directly follows an empty `CMD` or `ENTRYPOINT`. Undefined if there is none, if a step before it has no time, or if no layer is
 * on either side.
 */
export function layersBeforePause(config: ImageConfig): number | undefined {
  const { history } = config
  if (nonEmptyHistory(config).length === 0) return undefined
  let found: number | undefined
  let latest = Number.NEGATIVE_INFINITY
  let layers = 0
  for (const [i, { created, emptyLayer }] of history.entries()) {
    const time = Date.parse(created ?? '')
    if (Number.isNaN(time)) break
    const before = history[i - 1]
    const follows = before?.emptyLayer === true && STARTS.test(before.createdBy ?? '')
    if (follows && layers > 0 && layers < config.diffIds.length && time - latest > PAUSE_MILLISECONDS)
      found = layers
    latest = Math.max(latest, time)
    if (!emptyLayer) layers++
  }
  return found
}
