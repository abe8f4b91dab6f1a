/**
 * Preloaded into a service: each of its threads reports the longest turn of its event loop since its last report, by the
 * clock and by CPU time, which excludes the time in which the machine runs something else.
 */
import { writeSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

/** The interval of the timers that a long turn delays, in milliseconds. */
const RESOLUTION = 2
const TOLD_MILLISECONDS = 200

const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
delay.enable()
let used = cpuMilliseconds()
let longest = 0
setInterval(() => {
  const now = cpuMilliseconds()
  longest = Math.max(longest, now - used)
  used = now
}, RESOLUTION).unref()
setInterval(() => {
  const clock = Math.max(0, delay.max / 1e6 - RESOLUTION)
  const whose = isMainThread ? 'answering' : 'working'
  writeSync(2, `longest turn of ${whose}: ${clock.toFixed(1)} ms, ${longest.toFixed(1)} of CPU\n`)
  delay.reset()
  longest = 0
}, TOLD_MILLISECONDS).unref()

function cpuMilliseconds(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
