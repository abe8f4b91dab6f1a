/** What reading a layer took: bytes of the blob, bytes of the tar that were decoded. */
export type LayerWork = { readonly readBytes: number; readonly decodedBytes: number }
