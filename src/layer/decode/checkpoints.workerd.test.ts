/** In workerd, which has its own zlib implementation. */
import sha256 from '../../../dist/wasm/sha256.wasm'
import zstd from '../../../dist/wasm/zstd.wasm'
import { testCheckpoints } from '../../../test/layers/checkpoint-cases.ts'

const modules = { sha256, zstd }

testCheckpoints({ wasm: async (name) => modules[name] }, 20)
