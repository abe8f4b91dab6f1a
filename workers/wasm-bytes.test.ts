import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { WASM_NAMES, type WasmName } from '../src/host.ts'
import { wasmBytes } from './wasm-bytes.ts'

/** Where each module comes from: a script of a package has it in base64. After an update, review the module and pin it. */
const MODULES: Record<WasmName, { readonly script: string; readonly sha256: string }> = {
  zstd: {
    script: fileURLToPath(import.meta.resolve('zstddec/stream')),
    sha256: '793b767467d8effccc43e8198c854f587835493a748512fa4352837a96fd1060',
  },
  sha256: {
    script: fileURLToPath(import.meta.resolve('hash-wasm')),
    sha256: '7ad88dae37c322722a047435058ffc5e4f3315762c7114dfa740e5db6b474c87',
  },
}

test.each(WASM_NAMES)('%s is the pinned module, and the one in its package', async (name) => {
  const { script, sha256 } = MODULES[name]
  const bytes = await wasmBytes(name)
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
  expect((await readFile(script, 'utf8')).includes(Buffer.from(bytes).toString('base64'))).toBe(true)
  await expect(WebAssembly.compile(bytes)).resolves.toBeInstanceOf(WebAssembly.Module)
})
