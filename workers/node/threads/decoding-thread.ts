/** The code of a layer's second thread: it loads only what decompresses, so that it starts quickly. */
import { compiledWasm } from '../../wasm.ts'
import { type SecondThreadRequest, serveAsSecond } from './decoding.ts'
import { serveTasks } from './serve-tasks.ts'

const wasm = compiledWasm()

serveTasks<SecondThreadRequest, void>((request) => serveAsSecond(request, wasm))
