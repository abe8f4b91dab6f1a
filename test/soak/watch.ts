/** A service's resources while it runs: its processes' memory and handles, its temporary objects, and its delays. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

const PAGE_BYTES = 4096
/** Ticks of the kernel's clock, on every Linux in use. */
const TICKS_A_SECOND = 100
const SAMPLE_MILLISECONDS = 5_000
const PROBE_MILLISECONDS = 250

export type Sampled = Readonly<Record<string, number>> & { readonly seconds: number }

export type Figure = {
  readonly title: string
  readonly unit: 'MB' | 'ms' | ''
  /** Growth that does not count. */
  readonly allowed: number
  /** A figure of the machine, not of the service. */
  readonly isOutside?: true
  /** Delays depend on what else the machine does: growth counts only if the machine's load has not grown. */
  readonly isTime?: true
}

/** In the order of the chart. */
export const FIGURES: Readonly<Record<string, Figure>> = {
  rss: { title: 'Resident memory of all its processes', unit: 'MB', allowed: 0 },
  workerd: { title: 'of workerd', unit: 'MB', allowed: 0 },
  heap: { title: 'JavaScript heap', unit: 'MB', allowed: 0 },
  external: { title: 'Buffers outside the heap', unit: 'MB', allowed: 5 },
  handles: { title: 'Open handles', unit: '', allowed: 5 },
  temporary: { title: 'Temporary and half-written objects', unit: '', allowed: 3 },
  uploads: { title: 'Objects of uploads', unit: '', allowed: 10 },
  delay: { title: 'Answer of /healthz, slowest of each 5 s', unit: 'ms', allowed: 20, isTime: true },
  loop: { title: 'Event-loop delay, 99th percentile', unit: 'ms', allowed: 10, isTime: true },
  machine: { title: 'Processes that want to run on the machine', unit: '', allowed: 0, isOutside: true },
}

export type Watched = { readonly url: string; readonly pid: number; readonly data: string }

type ProcessState = {
  readonly name: string
  readonly bytes: number
  readonly handles: number
  readonly cpuSeconds: number
}

export class Watch {
  readonly samples: Sampled[] = []
  readonly #watched: Watched
  readonly #began = Date.now()
  #slowest = 0
  #isOver = false
  #running: Promise<unknown> | undefined

  constructor(watched: Watched) {
    this.#watched = watched
  }

  /** @param each is called for every sample */
  start(each: (sample: Sampled) => void): void {
    this.#running = Promise.all([this.#probe(), this.#sample(each)])
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  /** All figures as they are now. */
  async now(): Promise<Sampled> {
    const processes = await processesOf(this.#watched.pid)
    const total = (of: (one: ProcessState) => number) => processes.reduce((sum, one) => sum + of(one), 0)
    const workerd = processes.filter(({ name }) => name === 'workerd')
    const sample = {
      seconds: (Date.now() - this.#began) / 1000,
      cpu: total(({ cpuSeconds }) => cpuSeconds),
      rss: total(({ bytes }) => bytes) / 1e6,
      handles: total(({ handles }) => handles),
      ...(workerd.length === 0 ? {} : { workerd: workerd.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6 }),
      ...(await this.#objects()),
      ...(await this.#metrics()),
      delay: this.#slowest,
      machine: loadavg()[0] ?? 0,
    }
    this.#slowest = 0
    return sample
  }

  async #sample(each: (sample: Sampled) => void): Promise<void> {
    for (let next = Date.now(); !this.#isOver; ) {
      next += SAMPLE_MILLISECONDS
      while (Date.now() < next && !this.#isOver) await sleep(PROBE_MILLISECONDS)
      const sample = await this.now()
      this.samples.push(sample)
      each(sample)
    }
  }

  async #probe(): Promise<void> {
    while (!this.#isOver) {
      const began = performance.now()
      const answer = await fetch(`${this.#watched.url}/healthz`).catch(() => undefined)
      await answer?.body?.cancel()
      this.#slowest = Math.max(this.#slowest, performance.now() - began)
      await sleep(PROBE_MILLISECONDS)
    }
  }

  /** The figures of `/metrics`, if the host has them. */
  async #metrics(): Promise<Readonly<Record<string, number>>> {
    const answer = await fetch(`${this.#watched.url}/metrics`).catch(() => undefined)
    const text = answer?.status === 200 ? await answer.text() : ''
    const value = (name: string) => new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]
    if (value('nodejs_heap_size_used_bytes') === undefined) return {}
    return {
      heap: Number(value('nodejs_heap_size_used_bytes')) / 1e6,
      external: Number(value('nodejs_external_memory_bytes')) / 1e6,
      loop: Number(value('nodejs_eventloop_lag_p99_seconds')) * 1000,
    }
  }

  async #objects(): Promise<{ readonly temporary: number; readonly uploads: number }> {
    const { data } = this.#watched
    const bucket = join(data, 'r2')
    if (existsSync(bucket)) return countInBucket(bucket)
    const [temporary, incoming, uploads, archives] = await Promise.all(
      ['temporary', '.incoming', 'uploads', 'archives'].map((name) => countFiles(join(data, name))),
    )
    return { temporary: (temporary ?? 0) + (incoming ?? 0), uploads: (uploads ?? 0) + (archives ?? 0) }
  }
}

/** The processes of the group that the service leads. */
async function processesOf(group: number): Promise<readonly ProcessState[]> {
  const found: ProcessState[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    const [, name = ''] = /\((.*)\)/.exec(stat) ?? []
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (Number(fields[2]) !== group) continue
    const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '')
    const handles = (await readdir(`/proc/${pid}/fd`).catch(() => [])).length
    const bytes = Number(statm.split(' ')[1] ?? 0) * PAGE_BYTES
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
    found.push({ name, bytes, handles, cpuSeconds })
  }
  return found
}

async function countFiles(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).length
}

/** Miniflare keeps the names of a bucket's objects in SQLite. */
async function countInBucket(
  bucket: string,
): Promise<{ readonly temporary: number; readonly uploads: number }> {
  const files = (await readdir(bucket, { recursive: true })).filter((name) => name.endsWith('.sqlite'))
  const sums = { temporary: 0, uploads: 0 }
  for (const file of files) {
    const database = new DatabaseSync(join(bucket, file), { readOnly: true, timeout: 2_000 })
    try {
      const count = (query: string) => Number(database.prepare(query).get()?.n ?? 0)
      const tables = count(
        "SELECT count(*) AS n FROM sqlite_master WHERE name IN ('_mf_objects', '_mf_multipart_uploads')",
      )
      if (tables < 2) continue
      sums.temporary += count("SELECT count(*) AS n FROM _mf_objects WHERE key LIKE 'temporary/%'")
      sums.temporary += count('SELECT count(*) AS n FROM _mf_multipart_uploads WHERE state = 0')
      sums.uploads += count(
        "SELECT count(*) AS n FROM _mf_objects WHERE key LIKE 'uploads/%' OR key LIKE 'archives/%'",
      )
    } finally {
      database.close()
    }
  }
  return sums
}
