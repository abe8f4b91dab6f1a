/** In workerd, which has its own zlib implementation. */

import { testCheckpoints } from '../../../test/layers/checkpoint-cases.ts'
import sha256 from '../../../workers/wasm/sha256.wasm'
import zstd from '../../../workers/wasm/zstd.wasm'

const modules = { sha256, zstd }

testCheckpoints({ wasm: async (name) => modules[name] }, 20)
