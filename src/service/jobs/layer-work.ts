/** The work of reading a layer: bytes of the blob, and decoded bytes of the tar. */
export type LayerWork = { readonly readBytes: number; readonly decodedBytes: number }
