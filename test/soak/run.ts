/**
 * `npm run soak -- [--minutes N] [--host worker|node] [--seed N] [--out FOLDER]`: a mixed load for the given time. Every
 * answer is compared with the right one, and the service's resources are watched: they must not grow from the second third
 * to the last. Writes a chart and the samples, and exits with 1 if anything was wrong. The seed decides what each client
 * does.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { FixtureRegistry } from '../registry/fixture.ts'
import {
  HOSTS,
  type HostName,
  NODE_FLAGS,
  type SpawnedService,
  spawnService,
  temporaryData,
} from '../support/service.ts'
import { Answers } from './answers.ts'
import { describeTrend, drawPanels, type Panel } from './chart.ts'
import { corpusDiffs, corpusImages } from './corpus.ts'
import { Load } from './load.ts'
import { trendOf } from './trend.ts'
import { FIGURES, type Figure, type Sampled, Watch } from './watch.ts'

const CLIENTS = 8
const PAUSE_MILLISECONDS = 700
/** The lifetime of an upload that is not deleted. */
const UPLOAD_SECONDS = 30
/** In a shorter run caches are still filling, so its trends are shown but not judged. */
const JUDGED_MINUTES = 15
/** After the load, temporary objects and uploads must disappear, and connections must be closed. */
const QUIET_MILLISECONDS = 180_000
const SPARE_HANDLES = 40
const TOLD_SECONDS = 60

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    host: { type: 'string', multiple: true, default: [...HOSTS] },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    out: { type: 'string', default: '.' },
  },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed)

/** `npm run start:node` serves the bundle. */
const NODE_BUNDLE = new URL('../../dist/node/start.js', import.meta.url)

function start(host: HostName, data: string): Promise<SpawnedService> {
  const settings = { LAMINA_UPLOAD_SECONDS: `${UPLOAD_SECONDS}`, LOG_LEVEL: 'warn' }
  return host === 'node'
    ? spawnService(NODE_BUNDLE, data, settings, NODE_FLAGS)
    : spawnService(host, data, settings)
}

/** @returns how many things were wrong and how many were right */
async function soak(host: HostName): Promise<{ readonly wrong: number; readonly right: number }> {
  console.log(`# ${host}, ${minutes} minutes, seed ${seed}`)
  const { CORPUS_TRUTH: truth } = process.env
  const known = truth === undefined ? [] : await corpusImages(truth)
  const diffs = truth === undefined ? [] : await corpusDiffs(truth)
  const data = await temporaryData()
  const [registry, answers] = [await FixtureRegistry.start(), new Answers()]
  const service = await start(host, data)
  const { url, pid } = service
  const watch = new Watch({ url, pid, data })
  const load = new Load({
    ...{ url, registry, answers, known, diffs, seed },
    ...{ clients: CLIENTS, pauseMilliseconds: PAUSE_MILLISECONDS },
  })
  try {
    const idle = await watch.now()
    watch.start((sample) => {
      registry.forgetRequests()
      tell(sample, answers)
    })
    const running = load.run()
    await Promise.race([sleep(minutes * 60_000), running])
    load.stop()
    await running
    await watch.stop()
    const left = await quiet(watch, idle)
    for (const [name, value] of Object.entries(left)) answers.refuse(name, `${value} when all is quiet`)
    const openAnswers = registry.openAnswers
    if (openAnswers > 0) answers.refuse('the registry', `${openAnswers} answers that nobody reads to the end`)
    await finish(host, watch, answers)
  } finally {
    await service.end('SIGKILL')
    await registry.close()
    await rm(data, { recursive: true, force: true })
  }
  const output = service.output()
  await writeFile(join(values.out, `soak-${host}.log`), output)
  const { verified, compared, wrong } = answers
  console.log(`${host}: ${JSON.stringify(load.done)}; ${load.again} answers said to ask again`)
  console.log(`${host}: ${verified} answers verified, ${compared} compared, ${wrong.length} wrong`)
  return { wrong: wrong.length, right: verified + compared }
}

let toldAt = 0
function tell(sample: Sampled, { compared, wrong }: Answers): void {
  if (sample.seconds - toldAt < TOLD_SECONDS) return
  toldAt = sample.seconds
  const figures = Object.entries(sample).map(([name, value]) => `${name} ${Math.round(value * 10) / 10}`)
  console.log(`  ${compared} compared, ${wrong.length} wrong; ${figures.join(', ')}`)
}

/** @returns what is left but should be gone, by name */
async function quiet(watch: Watch, idle: Sampled): Promise<Readonly<Record<string, number>>> {
  for (const end = Date.now() + QUIET_MILLISECONDS; ; await sleep(1_000)) {
    const { temporary = 0, uploads = 0, handles = 0 } = await watch.now()
    const left = Object.entries({
      temporary,
      uploads,
      handles: handles - (idle.handles ?? 0) - SPARE_HANDLES,
    })
    const found = left.filter(([, value]) => value > 0)
    if (found.length === 0 || Date.now() > end) return Object.fromEntries(found)
  }
}

type Judged = Panel & { readonly figure: Figure }

function panelsOf(samples: readonly Sampled[]): readonly Judged[] {
  return Object.entries(FIGURES).flatMap(([name, figure]) => {
    const series = samples.flatMap((sample) =>
      sample[name] === undefined ? [] : [{ seconds: sample.seconds, value: sample[name] }],
    )
    if (series.length === 0) return []
    const points = series.map(({ seconds, value }) => ({ minutes: seconds / 60, value }))
    return [{ ...figure, figure, points, trend: trendOf(series, figure.allowed) }]
  })
}

async function finish(host: HostName, { samples }: Watch, answers: Answers): Promise<void> {
  const panels = panelsOf(samples)
  const isBusier = panels.some(({ figure, trend }) => figure.isOutside && !trend.isFlat)
  for (const panel of panels) {
    console.log(`  ${describeTrend(panel)}`)
    const { isOutside, isTime } = panel.figure
    const isExcused = isOutside || (isTime && isBusier)
    if (!panel.trend.isFlat && !isExcused && minutes >= JUDGED_MINUTES)
      answers.refuse(panel.title, 'it grows')
  }
  const cpu = ((samples.at(-1)?.cpu ?? 0) - (samples[0]?.cpu ?? 0)) / (minutes * 60)
  const { compared, verified, wrong } = answers
  const heading = `${host}, ${minutes} minutes: ${compared + verified} answers, ${wrong.length} wrong`
  console.log(`  the service took ${cpu.toFixed(2)} of a core`)
  await mkdir(values.out, { recursive: true })
  await writeFile(join(values.out, `soak-${host}.svg`), drawPanels(heading, panels))
  await writeFile(join(values.out, `soak-${host}.json`), JSON.stringify({ host, minutes, seed, samples }))
}

let wrong = 0
let right = 0
for (const name of values.host) {
  const host = HOSTS.find((one) => one === name)
  if (host === undefined) throw new Error(`no host ${name}: there are ${HOSTS.join(', ')}`)
  const result = await soak(host)
  wrong += result.wrong
  right += result.right
}
console.log(`${right - Math.min(right, wrong)} passed, ${wrong} failed`)
process.exit(wrong > 0 ? 1 : 0)
