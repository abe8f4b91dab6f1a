/** A real Redis on a free port, for what is measured with one; it has to be installed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

export type TestRedis = { readonly url: string; stop(): Promise<void> }

export async function startRedis(): Promise<TestRedis> {
  const port = await freePort()
  const settings = ['--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'noeviction']
  const child = spawn('redis-server', ['--port', String(port), ...settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const ready = Promise.withResolvers<void>()
  createInterface(child.stdout).on('line', (line) => {
    if (line.includes('Ready to accept connections')) ready.resolve()
  })
  child.once('exit', () => ready.reject(new Error('redis-server did not start')))
  await ready.promise
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      child.kill()
      await exited
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
