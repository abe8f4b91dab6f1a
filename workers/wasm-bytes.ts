/**
 * The WASM modules, taken from the packages that embed them in a script: each package is made to load its module, and what it
 * passes to `WebAssembly` is kept. Every module is pinned by its SHA-256.
 */
import { createHash } from 'node:crypto'
import type { WasmName } from '../src/host.ts'

type Wasm = {
  /** Of the module's bytes, in hexadecimal. */
  readonly sha256: string
  readonly load: () => Promise<unknown>
}

const MODULES: Record<WasmName, Wasm> = {
  zstd: {
    sha256: '793b767467d8effccc43e8198c854f587835493a748512fa4352837a96fd1060',
    load: async () => {
      const { ZSTDDecoder } = await import('zstddec/stream')
      await new ZSTDDecoder().init()
    },
  },
  sha256: {
    sha256: '7ad88dae37c322722a047435058ffc5e4f3315762c7114dfa740e5db6b474c87',
    load: async () => {
      const { createSHA256 } = await import('hash-wasm')
      await createSHA256()
    },
  },
}

const modules = new Map<WasmName, Promise<Uint8Array<ArrayBuffer>>>()

/** @throws Error if the package ships another module than the pinned one */
export function wasmBytes(name: WasmName): Promise<Uint8Array<ArrayBuffer>> {
  // Kept, since a package loads its module only once.
  const known = modules.get(name) ?? pinned(name)
  modules.set(name, known)
  return known
}

async function pinned(name: WasmName): Promise<Uint8Array<ArrayBuffer>> {
  const { sha256, load } = MODULES[name]
  const found = await compiledBy(load)
  const module = found.find((bytes) => createHash('sha256').update(bytes).digest('hex') === sha256)
  if (module !== undefined) return Uint8Array.from(module)
  throw new Error(
    `the WASM module ${name} is not the pinned one: after updating its package, review the module and pin its SHA-256 in workers/wasm-bytes.ts`,
  )
}

let loading: Promise<unknown> = Promise.resolve()

/** What is passed to `WebAssembly` while `load` runs: one at a time, and modules of others may be included. */
function compiledBy(load: () => Promise<unknown>): Promise<readonly Uint8Array[]> {
  const found = loading.then(async () => {
    const { compile, instantiate } = WebAssembly
    const seen: Uint8Array[] = []
    const watch = (source: unknown) => {
      if (source instanceof ArrayBuffer) seen.push(new Uint8Array(source))
      else if (ArrayBuffer.isView(source))
        seen.push(new Uint8Array(source.buffer, source.byteOffset, source.byteLength))
    }
    const watched = {
      compile(...args: Parameters<typeof compile>) {
        watch(args[0])
        return compile(...args)
      },
      instantiate(...args: Parameters<typeof instantiate>) {
        watch(args[0])
        return instantiate(...args)
      },
    }
    Object.assign(WebAssembly, watched)
    try {
      await load()
    } finally {
      Object.assign(WebAssembly, { compile, instantiate })
    }
    return seen
  })
  loading = found.catch(() => {})
  return found
}
