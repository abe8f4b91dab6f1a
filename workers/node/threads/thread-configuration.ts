/** The service's settings, in a thread that needs them. */
import { workerData } from 'node:worker_threads'
import { type Configuration, parseConfiguration } from '../../../src/configuration.ts'
import type { ThreadData } from './threads.ts'

export function threadConfiguration(): Configuration {
  const { env }: ThreadData = workerData
  return parseConfiguration(env, 'node')
}
