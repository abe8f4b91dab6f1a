/** The two WASM modules, compiled: for hosts that may compile at run time, which workerd may not. */
import type { WasmModules } from '../src/host.ts'
import { sqliteBytes, zstdBytes } from './wasm-bytes.ts'

/** Compiled once, when first asked for. */
export function compiledWasm(): WasmModules {
  let zstd: Promise<WebAssembly.Module> | undefined
  let sqlite: Promise<WebAssembly.Module> | undefined
  return {
    zstd: () => (zstd ??= zstdBytes().then((bytes) => WebAssembly.compile(bytes))),
    sqlite: () => (sqlite ??= sqliteBytes().then((bytes) => WebAssembly.compile(bytes))),
  }
}
