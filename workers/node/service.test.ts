/** The rehearsal of the thread that answers. */
import { readdir, rm } from 'node:fs/promises'
import pino from 'pino'
import { afterEach, expect, it, vi } from 'vitest'
import { SETTINGS, temporaryData } from '../../test/support/service.ts'
import type { Rehearsal } from './rehearsal.ts'
import * as rehearsal from './rehearsal.ts'
import { type RunningNode, startNode } from './service.ts'

vi.mock('./rehearsal.ts', { spy: true })
const rehearse = vi.mocked(rehearsal.rehearse)

let data: string
let service: RunningNode | undefined

afterEach(async () => {
  await service?.stop()
  await rm(data, { recursive: true, force: true })
})

/** @returns what it logs */
async function start(): Promise<readonly string[]> {
  data = await temporaryData()
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => lines.push(line) })
  service = await startNode({ ...SETTINGS, LAMINA_DATA: data }, { log, rehearses: true })
  return lines
}

const get = (path: string) => fetch(`${service?.url}${path}`)

it('is a report that is neither stored, nor logged, nor counted', async () => {
  const { rehearse: real } = await vi.importActual<typeof rehearsal>('./rehearsal.ts')
  const answers: unknown[] = []
  const over = Promise.withResolvers<void>()
  rehearse.mockImplementationOnce((options, play) => {
    const playing = real(options, async (stage) => answers.push(await play(stage)))
    return playing.finally(over.resolve)
  })
  const lines = await start()
  await over.promise
  expect(answers).toMatchObject([{ status: 200 }, { status: 200 }])
  expect(await readdir(data)).toEqual([])
  expect(lines).toEqual([])
  const metrics = await (await get('/metrics')).text()
  expect(metrics.match(/^lamina_\w+(?:\{.*\})? [1-9].*$/gm)).toBe(null)
})

it('ends when the first request arrives, but not when a supervisor asks', async () => {
  let options: Rehearsal | undefined
  rehearse.mockImplementationOnce(async (given) => {
    options = given
  })
  await start()
  for (const path of ['/healthz', '/readyz']) await get(path)
  expect(options?.signal.aborted).toBe(false)
  await get('/v1/unknown')
  expect(options?.signal.aborted).toBe(true)
})
