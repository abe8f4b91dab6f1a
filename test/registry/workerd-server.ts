/** A server for tests that run inside workerd, which cannot start one: returns answers by path. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** `127.0.0.1:port` */
    readonly server: string
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  const server = createServer((request, response) => {
    switch (request.url) {
      case '/gzip':
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('text'))
        return
      case '/redirect':
        response.writeHead(307, { location: '/elsewhere' }).end()
        return
      case '/proxied':
        response.writeHead(200, { 'cf-ray': '0123456789abcdef-FRA' }).end('from another port')
        return
      case '/v2/app/manifests/drips': {
        response.writeHead(200)
        const timer = setInterval(() => response.write(' '), 20)
        response.once('close', () => clearInterval(timer))
        return
      }
      case '/v2/app/manifests/silent':
        return
      default:
        response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  project.provide('server', `127.0.0.1:${(server.address() as AddressInfo).port}`)
  return () => {
    server.close()
    server.closeAllConnections()
  }
}
