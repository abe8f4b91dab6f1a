/**
 * The versions of what the store has. One changes whenever an index of that kind would be written differently: then it is rebuilt
 * when it is next asked for, and so a corrected merge reads no layer again.
 */

export const LAYER_FORMAT = 'v5'
export const IMAGE_FORMAT = 'v6'
export const COMPRESSION_FORMAT = 'v1'
