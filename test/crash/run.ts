/**
 * `npm run crash [-- --host HOST]… [--kills N] [--seed N]`: parts of each host are killed at random moments while images are
 * requested, and restarted. Every answer must be right, and so must what is stored at the end. The seed is printed: it
 * reproduces what is requested and killed, and when, if the machine is equally fast.
 */
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Random } from '../support/random.ts'
import { temporaryData } from '../support/service.ts'
import { keysOf, storedIndex } from '../support/stored.ts'
import { CRASHED_HOSTS, type CrashedHost, type Part } from './hosts.ts'
import { type Known, Model } from './model.ts'

const IMAGES_A_KILL = 2
const ASKERS_OF_AN_IMAGE = 2
const KILLED_WITHIN_MILLISECONDS = 1_500
const DEAD_FOR_MILLISECONDS = 1_500
/** A registry's failure is repeated for a minute before it is asked again. */
const PATIENCE_MILLISECONDS = 300_000
const AGAIN_MILLISECONDS = 200
/** Statuses that tell the client to retry. */
const PASSING: ReadonlySet<number> = new Set([202, 429, 502, 503, 504])
const BROKEN: ReadonlySet<number> = new Set([...PASSING, 500])

const { values } = parseArgs({
  options: {
    host: { type: 'string', multiple: true, default: Object.keys(CRASHED_HOSTS) },
    kills: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
})

/** Whether Ctrl-C was pressed or the run was told to end: the kills so far are then checked. */
let isOver = false
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    isOver = true
  })

class Tally {
  answers = 0
  readonly wrong: string[] = []

  compare(what: string, answer: string, right: string | undefined): void {
    this.answers++
    if (answer !== right) this.#report(`${what}: ${answer.slice(0, 300)}`)
  }

  expect(what: string, holds: boolean): void {
    if (!holds) this.#report(what)
  }

  #report(what: string): void {
    this.wrong.push(what)
    console.log(`  WRONG ${what}`)
  }
}

/** Asks like a client that retries until it has an answer. */
async function answerOf(url: string, question: string, passing: ReadonlySet<number>): Promise<string> {
  let last = ''
  for (const end = Date.now() + PATIENCE_MILLISECONDS; Date.now() < end; await sleep(AGAIN_MILLISECONDS)) {
    try {
      const response = await fetch(url + question, { signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) })
      last = await response.text()
      if (response.status === 200) return last
      if (!passing.has(response.status)) return `${response.status} ${last}`
    } catch (error) {
      // It is dead, or died while it answered.
      last = String(error)
    }
  }
  return `not answered in time: ${last}`
}

/** @param passing statuses after which it retries */
async function check(
  tally: Tally,
  url: string,
  { reference, answers }: Known,
  passing = PASSING,
): Promise<void> {
  for (const [question, right] of answers)
    tally.compare(`${reference} ${question}`, await answerOf(url, question, passing), right)
}

async function oneKill(host: CrashedHost, model: Model, random: Random, tally: Tally): Promise<Known[]> {
  const images: Known[] = []
  for (let n = 0; n < IMAGES_A_KILL; n++) images.push(await model.newImage())
  const part: Part = random.pick([...host.parts, model.registry])
  const passing = part.breaksWork === undefined ? PASSING : BROKEN
  const asked = images.flatMap((image) =>
    Array.from({ length: ASKERS_OF_AN_IMAGE }, () => check(tally, random.pick(host.urls), image, passing)),
  )
  const after = random.below(KILLED_WITHIN_MILLISECONDS)
  const dead = random.below(DEAD_FOR_MILLISECONDS)
  await sleep(after)
  await part.kill()
  await sleep(dead)
  await part.restart()
  const began = Date.now()
  await Promise.all(asked)
  const seconds = ((Date.now() - began) / 1000).toFixed(1)
  console.log(`  ${part.name} after ${after} ms, for ${dead} ms; all answered ${seconds} s later`)
  return images
}

async function crash(name: string, kills: number, seed: number): Promise<Tally> {
  const start = CRASHED_HOSTS[name]
  if (start === undefined)
    throw new Error(`no host ${name}: there are ${Object.keys(CRASHED_HOSTS).join(', ')}`)
  console.log(`# ${name}, ${kills} kills, seed ${seed}`)
  const random = new Random(seed)
  const [data, model, tally] = [await temporaryData(), await Model.start(random), new Tally()]
  const host = await start(data)
  let done = 0
  try {
    const known: Known[] = []
    for (; done < kills && !isOver; done++) {
      known.push(...(await oneKill(host, model, random, tally)))
      await check(tally, random.pick(host.urls), random.pick(known))
    }
    for (const image of known) await check(tally, random.pick(host.urls), image)
    const store = await host.finish()
    const [stored, right] = await Promise.all([storedIndex(store), model.stored()])
    for (const key of new Set([...Object.keys(stored), ...Object.keys(right)]))
      tally.expect(`${key} is not stored as it should be`, stored[key] === right[key])
    const left = (await keysOf(store, 'temporary/')).length
    if (name === 'node') tally.expect(`${left} temporary objects are left`, left === 0)
    else console.log(`  ${left} temporary objects are left to the lifecycle rules of the bucket`)
  } finally {
    await host.stop()
    await model.stop()
    await rm(data, { recursive: true, force: true })
  }
  console.log(`${name}: ${done} kills, ${tally.answers} answers, ${tally.wrong.length} wrong`)
  return tally
}

let failed = 0
let passed = 0
for (const name of values.host) {
  if (isOver) break
  const { answers, wrong } = await crash(name, Number(values.kills), Number(values.seed))
  passed += answers
  failed += wrong.length
}
console.log(`${passed - Math.min(passed, failed)} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
