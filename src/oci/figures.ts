/** What a manifest says about its image, without reading a layer. */
import type { ImageManifest } from './manifest.ts'

export type ManifestFigures = {
  /** Sum of the layers' blobs, as the registry holds them; a layer that occurs twice counts twice. */
  readonly compressedBytes: number
  /** Number of layers. */
  readonly layers: number
}

export function manifestFigures(manifest: ImageManifest): ManifestFigures {
  return {
    compressedBytes: manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
    layers: manifest.layers.length,
  }
}
