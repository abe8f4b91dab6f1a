/** What each tool says of the size of one image, by formulas that were measured: see docs/storage.md. */
import type { LayerSizes } from './layer-sizes.ts'

export const TOOLS = ['registry', 'docker', 'containerd', 'podman', 'cri', 'dive'] as const
export type Tool = (typeof TOOLS)[number]

export type ToolSize = {
  readonly tool: Tool
  /** Its command. */
  readonly what: string
  /** Absent if it is not known; the explanation says why. */
  readonly bytes?: number
  readonly exact: boolean
  readonly explanation: string
}

export type MeasuredImage = {
  /** Absent if a layer is stored uncompressed, and only a push would compress it. */
  readonly compressedBytes: number | undefined
  /** Absent if a layer is known from its table of contents alone. */
  readonly uncompressedBytes: number | undefined
  readonly configBytes: number
  readonly manifestBytes: number
  /** The indexes from the reference to the manifest. */
  readonly indexBytes: readonly number[]
  /** A layer that the manifest lists twice is here twice. */
  readonly layers: readonly LayerSizes[]
}

const UNCOMPRESSED = 'Unknown until it is pushed: a layer is stored uncompressed.'

export function toolSizes(image: MeasuredImage): readonly ToolSize[] {
  const { compressedBytes, uncompressedBytes, configBytes, manifestBytes, indexBytes } = image
  const sum = (of: (layer: LayerSizes) => number) =>
    image.layers.reduce((bytes, layer) => bytes + of(layer), 0)
  const allIndexes = indexBytes.reduce((bytes, one) => bytes + one, 0)
  const plus = (bytes: number | undefined, more: number) => (bytes === undefined ? undefined : bytes + more)
  const unpacked = sum(({ blockBytes }) => blockBytes)
  return [
    sized({
      tool: 'registry',
      what: 'what a registry stores, and a pull transfers',
      bytes: compressedBytes,
      explanation: 'The compressed layers.',
      unknown: UNCOMPRESSED,
    }),
    sized({
      tool: 'docker',
      what: 'docker image ls, classic store (overlay2)',
      bytes: sum(({ contentBytes }) => contentBytes),
      explanation:
        'The files of all layers, uncompressed, those that later layers hide too; directories, hard links and metadata take nothing.',
    }),
    sized({
      tool: 'containerd',
      what: 'docker image ls, containerd store',
      bytes: plus(compressedBytes, manifestBytes + configBytes + unpacked),
      isEstimate: true,
      explanation:
        'The compressed layers and, besides, the unpacked files in blocks of 4,096 bytes: it keeps both. Depends on the file system.',
      unknown: UNCOMPRESSED,
    }),
    sized({
      tool: 'podman',
      what: 'podman images',
      bytes: plus(uncompressedBytes, configBytes + 2 * manifestBytes + (indexBytes[0] ?? 0)),
      explanation: 'The tars of the layers, with their headers and padding, and the manifests.',
      unknown: 'Unknown: a layer is known from its table of contents alone.',
    }),
    sized({
      tool: 'cri',
      what: 'crictl images, ctr images ls',
      bytes: plus(compressedBytes, configBytes + manifestBytes + allIndexes),
      explanation: 'The compressed layers, config and manifests, as they were pulled; nothing unpacked.',
      unknown: UNCOMPRESSED,
    }),
    sized({
      tool: 'dive',
      what: 'dive',
      bytes: sum(({ headerBytes }) => headerBytes),
      explanation: 'The sizes that the tar headers of all layers say, each member’s.',
    }),
  ]
}

type Sized = {
  readonly tool: Tool
  readonly what: string
  readonly bytes: number | undefined
  readonly isEstimate?: true
  readonly explanation: string
  readonly unknown?: string
}

function sized({ tool, what, bytes, isEstimate, explanation, unknown }: Sized): ToolSize {
  return {
    tool,
    what,
    ...(bytes === undefined ? {} : { bytes }),
    exact: isEstimate !== true,
    explanation: bytes === undefined && unknown !== undefined ? `${explanation} ${unknown}` : explanation,
  }
}
