import { WASM } from '../../../test/blob.ts'
import { testCheckpoints } from '../../../test/layers/checkpoint-cases.ts'
import { LONG } from '../../../test/layers/tries.ts'

testCheckpoints({ wasm: WASM }, LONG ? 1_000 : 40)
