/**
 * Requests `/healthz` again and again from a separate thread, which the test cannot block. Reports how many
 * answers came, and how long the slowest took.
 */
import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'

const { url }: { url: string } = workerData
const agent = new Agent({ keepAlive: true })

/** @returns the status */
function ask(): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}/healthz`, { agent }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode))
    })
    request.once('error', reject)
  })
}

let isDone = false
parentPort?.once('message', () => {
  isDone = true
})
let answers = 0
let longestMilliseconds = 0
while (!isDone) {
  const asked = performance.now()
  const status = await ask()
  if (status !== 200) throw new Error(`/healthz answered ${status}`)
  answers++
  longestMilliseconds = Math.max(longestMilliseconds, performance.now() - asked)
  await sleep(50)
}
parentPort?.postMessage({ answers, longestMilliseconds })
agent.destroy()
