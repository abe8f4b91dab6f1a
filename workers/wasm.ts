/** The WASM modules, compiled: for hosts that may compile at run time, unlike workerd. */
import type { WasmModules, WasmName } from '../src/host.ts'
import { wasmBytes } from './wasm-bytes.ts'

/** Each is compiled once, on first use. */
export function compiledWasm(): WasmModules {
  const compiled: { [Name in WasmName]?: Promise<WebAssembly.Module> } = {}
  return (name) => (compiled[name] ??= wasmBytes(name).then((bytes) => WebAssembly.compile(bytes)))
}
