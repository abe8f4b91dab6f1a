import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { WASM_NAMES } from '../src/host.ts'
import { wasmBytes } from './wasm-bytes.ts'

test('every module is found, even concurrently, and compiles', async () => {
  const { compile, instantiate } = WebAssembly
  const found = await Promise.all(WASM_NAMES.map(wasmBytes))
  for (const bytes of found) expect(await WebAssembly.compile(bytes)).toBeInstanceOf(WebAssembly.Module)
  const digests = found.map((bytes) => createHash('sha256').update(bytes).digest('hex'))
  expect(new Set(digests).size).toBe(WASM_NAMES.length)
  expect([WebAssembly.compile, WebAssembly.instantiate]).toEqual([compile, instantiate])
})
