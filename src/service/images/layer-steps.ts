/** The step that made each layer of an image, and its line in a Dockerfile. */
import { type ImageConfig, nonEmptyHistory } from '../../oci/config.ts'
import { dockerfileLines } from '../../oci/dockerfile-lines.ts'

export type LayerStep = {
  /** As in the history. */
  readonly createdBy?: string
  /** In the Dockerfile, from 1. */
  readonly line?: number
}

/**
 * By layer; empty if the history does not say which step made which layer.
 *
 * @param dockerfile its text, at most 256 KiB
 */
export function layerSteps(config: ImageConfig, dockerfile: string | undefined): readonly LayerStep[] {
  const lines = dockerfile === undefined ? [] : dockerfileLines(dockerfile, config.history)
  if (nonEmptyHistory(config).length === 0) return []
  return config.history.flatMap(({ createdBy, emptyLayer }, step) => {
    if (emptyLayer) return []
    const line = lines[step]
    return [{ ...(createdBy === undefined ? {} : { createdBy }), ...(line === undefined ? {} : { line }) }]
  })
}
