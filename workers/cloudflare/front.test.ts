import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { freePort } from '../../test/support/ports.ts'
import { startFront } from './front.ts'

/** Answers on command, before it has read the body, and resets the connection, as workerd does. */
const REFUSING = `
const { createServer } = require('node:net')
const { parentPort, workerData } = require('node:worker_threads')
let connection
const server = createServer((socket) => {
  connection = socket
  socket.on('error', () => {})
  socket.once('data', () => { socket.pause(); parentPort.postMessage('asked') })
})
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
parentPort.on('message', () => {
  connection.write('HTTP/1.1 401 Unauthorized\\r\\nContent-Length: 2\\r\\n\\r\\nno', () => {
    connection.once('close', () => setTimeout(() => Atomics.notify(workerData, 0), 50))
    connection.resetAndDestroy()
  })
})
`

it('an answer sent before the body is complete arrives, even though the connection is reset', async () => {
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const thread = new Worker(REFUSING, { eval: true, workerData: flag })
  const told = () => new Promise<unknown>((resolve) => thread.once('message', resolve))
  const port = await told()
  const front = await startFront({ host: '127.0.0.1', port: 0 }, new URL(`http://127.0.0.1:${port}`))
  try {
    const client = connect(front.port, '127.0.0.1')
    const asked = told()
    client.write(
      'PUT /v1/uploads HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2000000\r\n\r\n',
    )
    client.write(Buffer.alloc(1000))
    await asked
    // The front sees more of the body and the reset in the same poll of its connections.
    client.write(Buffer.alloc(50_000))
    thread.postMessage('answer')
    Atomics.wait(flag, 0, 0, 30_000)
    expect(await text(client)).toMatch(/^HTTP\/1\.1 401 [\s\S]*no$/)
  } finally {
    await front.stop()
    await thread.terminate()
  }
})

it('while workerd is dead, clients are told to retry', async () => {
  const worker = new URL(`http://127.0.0.1:${await freePort()}`)
  const front = await startFront({ host: '127.0.0.1', port: 0 }, worker)
  const answer = await fetch(`http://127.0.0.1:${front.port}/v1/report?image=a`)
  expect({ status: answer.status, after: answer.headers.get('retry-after') }).toEqual({
    status: 503,
    after: '1',
  })
  expect(await answer.json()).toMatchObject({ code: 'analysis_pending' })
  await front.stop()
})
