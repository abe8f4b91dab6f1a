/**
 * What workerd's heap and buffers hold, read through Chrome's DevTools protocol. It does not include WebAssembly's memory.
 */

type Usage = { readonly usedSize: number; readonly backingStorageSize?: number }

export type LiveMemory = { readonly heapMegabytes: number; readonly bufferMegabytes: number }

const MEBIBYTE = 1024 * 1024

export class Inspector {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (result: Usage) => void>()
  #asked = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const { id, result }: { id?: number; result: Usage } = JSON.parse(String(data))
      if (id !== undefined) this.#waiting.get(id)?.(result)
    })
  }

  /** @param port that the Worker was started with */
  static async open(port: number): Promise<Inspector> {
    const answer = await fetch(`http://127.0.0.1:${port}/json`)
    const [target]: { webSocketDebuggerUrl: string }[] = await answer.json()
    if (target === undefined) throw new Error('no Worker can be inspected')
    const socket = new WebSocket(target.webSocketDebuggerUrl)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true })
      socket.addEventListener('error', reject, { once: true })
    })
    return new Inspector(socket)
  }

  /** What is left after a garbage collection. */
  async live(): Promise<LiveMemory> {
    // workerd does this before the next request, but never answers it.
    this.#send('HeapProfiler.collectGarbage')
    const { usedSize, backingStorageSize = 0 } = await this.#ask('Runtime.getHeapUsage')
    return { heapMegabytes: usedSize / MEBIBYTE, bufferMegabytes: backingStorageSize / MEBIBYTE }
  }

  close(): void {
    this.#socket.close()
  }

  #ask(method: string): Promise<Usage> {
    return new Promise((resolve) => {
      const id = this.#send(method)
      this.#waiting.set(id, (result) => {
        this.#waiting.delete(id)
        resolve(result)
      })
    })
  }

  #send(method: string): number {
    const id = ++this.#asked
    this.#socket.send(JSON.stringify({ id, method }))
    return id
  }
}
