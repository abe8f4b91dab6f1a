/** How a layer's blob is packed, told by its bytes and never by its media type. */
export type Compression = 'gzip' | 'zstd' | 'none'
