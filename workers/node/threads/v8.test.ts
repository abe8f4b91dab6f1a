import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const THREAD = `
import { getHeapStatistics } from 'node:v8'
import { parentPort } from 'node:worker_threads'
parentPort.postMessage(getHeapStatistics().heap_size_limit)
`

/** Prints the most memory that the heap of a thread with these limits takes, in MiB. */
const PROGRAM = `
import { Worker } from 'node:worker_threads'
const { startFast } = await import(${JSON.stringify(new URL('v8.ts', import.meta.url))})
startFast()
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 12 }
const thread = new Worker(${JSON.stringify(THREAD)}, { eval: true, resourceLimits })
thread.on('message', (limit) => console.log(limit / 2 ** 20))
`

it("a thread's memory has the thread's limits, whatever the flags of the process", async () => {
  const flags = ['--max-semi-space-size=16', '--input-type=module', '--eval', PROGRAM]
  const { stdout } = await promisify(execFile)(process.execPath, flags)
  expect(Number(stdout)).toBe(128 + 12)
})
