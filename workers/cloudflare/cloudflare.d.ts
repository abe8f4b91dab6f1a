/** The part of the platform's interface that the Worker uses. */

declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}

declare module 'cloudflare:workers' {
  /** Lets work end after the request that began it. */
  export function waitUntil(work: Promise<unknown>): void

  export type DurableObjectContext = {
    readonly id: { toString(): string }
    /** Jobs have none on Miniflare. */
    readonly storage?: {
      get(key: string): Promise<unknown>
      put(key: string, value: unknown): Promise<void>
      deleteAll(): Promise<void>
      setAlarm(at: number): Promise<void>
    }
    waitUntil(work: Promise<unknown>): void
  }

  export abstract class DurableObject<Env> {
    protected readonly ctx: DurableObjectContext
    protected readonly env: Env
    constructor(ctx: DurableObjectContext, env: Env)
  }
}
