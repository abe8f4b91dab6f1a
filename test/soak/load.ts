/**
 * A mixed load: clients that query known and new images, upload, export, follow events, leave in the middle, or read slowly.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FixtureRegistry } from '../registry/fixture.ts'
import { ociLayout, packArchive } from '../support/archives.ts'
import type { TestImage } from '../support/images.ts'
import { Random } from '../support/random.ts'
import type { Answers } from './answers.ts'
import { ImageMaker, type Truth } from './images.ts'
import {
  contentOf,
  diffOf,
  exportOf,
  filesOf,
  type Question,
  questionsOf,
  reportOf,
  type Subject,
} from './questions.ts'

/** The numbers of new images that are requested again, and that the registry keeps for requests in progress. */
const RECENT = 20
const KEPT = 120
/** Exports of larger images are requested only now and then. */
const SMALL_EXPORT_BYTES = 10_000_000
const LEAVES_WITHIN_MILLISECONDS = 400
const SLOW_PIECE_BYTES = 20_000
const SLOW_MILLISECONDS = 100
/** A slow client speeds up after this many pieces, so that it does not read all day. */
const SLOW_PIECES = 60
const POLLS = 600
const POLL_MILLISECONDS = 100
const NO_FIGURE = /analysing|unavailable/

type Made = Subject & { readonly image: TestImage; readonly repository: string }

export type LoadOptions = {
  readonly url: string
  readonly registry: FixtureRegistry
  readonly answers: Answers
  /** Images known from the start. */
  readonly known: readonly Subject[]
  /** Questions about two of them. */
  readonly diffs: readonly Question[]
  readonly seed: number
  readonly clients: number
  /** A client's average pause between two requests. */
  readonly pauseMilliseconds: number
}

export class Load {
  /** Actions so far, by kind. */
  readonly done: Record<string, number> = {}
  /** Answers that told the client to retry. */
  again = 0
  readonly #options: LoadOptions
  readonly #maker: ImageMaker
  readonly #made: Made[] = []
  #count = 0
  #isOver = false

  constructor(options: LoadOptions) {
    this.#options = options
    this.#maker = new ImageMaker(new Random(options.seed))
  }

  /** Runs until it is told to stop and each client has finished. */
  async run(): Promise<void> {
    const { clients, seed } = this.#options
    for (let n = 0; n < 3; n++) await this.#newImage()
    await Promise.all(Array.from({ length: clients }, (_, n) => this.#client(new Random(seed + 1 + n))))
  }

  stop(): void {
    this.#isOver = true
  }

  async #client(random: Random): Promise<void> {
    const kinds = Object.entries(KINDS).flatMap(([name, { weight }]) => Array<string>(weight).fill(name))
    while (!this.#isOver) {
      // Uniform between zero and twice the mean, so that clients do not fall into step.
      await sleep(random.below(2 * this.#options.pauseMilliseconds))
      const kind = random.pick(kinds)
      try {
        await KINDS[kind]?.run(this, random)
        this.done[kind] = (this.done[kind] ?? 0) + 1
      } catch (error) {
        this.#options.answers.refuse(kind, `${error instanceof Error ? error.stack : String(error)}`)
      }
    }
  }

  /** Any image except those that only one client knows. */
  subject(random: Random): Subject {
    const { known } = this.#options
    const recent = this.#made.slice(-RECENT)
    return random.below(3) === 0 || known.length === 0 ? random.pick(recent) : random.pick(known)
  }

  made(random: Random): Made {
    return random.pick(this.#made.slice(-RECENT))
  }

  diff(random: Random): Question {
    const { diffs } = this.#options
    const isKnown = diffs.length > 0 && random.below(2) === 0
    return isKnown ? random.pick(diffs) : diffOf(this.made(random), this.made(random))
  }

  async newImage(): Promise<Made> {
    const { registry, answers } = this.#options
    const made = await this.#newImage()
    for (const old of this.#made.splice(0, Math.max(this.#made.length - KEPT, 0))) {
      registry.remove(old.repository)
      answers.forget(old.reference)
    }
    return made
  }

  async #newImage(): Promise<Made> {
    const { image, truth } = await this.#maker.next()
    const repository = `soak-${this.#count++}`
    const reference = this.#options.registry.push(repository, 'v1', image)
    const made = { reference, truth, image, repository }
    this.#made.push(made)
    return made
  }

  /** Sends the request and compares the answer. A badge never waits: it is requested again until it has its figure. */
  async ask(question: Question, read: (answer: Response) => Promise<Uint8Array> = wholeOf): Promise<void> {
    for (let poll = 0; ; poll++, await sleep(POLL_MILLISECONDS)) {
      const { status, body } = await this.#answerTo(question.path, read)
      if (poll < POLLS && question.path.startsWith('/badge/') && NO_FIGURE.test(body.toString())) continue
      return this.#options.answers.take(question, status, body)
    }
  }

  /** An answer may ask for a retry only once: the second must be a real answer. */
  async #answerTo(path: string, read: (answer: Response) => Promise<Uint8Array>) {
    const first = await this.fetch(path)
    if (first.status !== 503) return { status: first.status, body: Buffer.from(await read(first)) }
    await discarded(first)
    this.again++
    const second = await this.fetch(path)
    return { status: second.status, body: Buffer.from(await read(second)) }
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.#options.url + path, init)
  }

  refuse(path: string, why: string): void {
    this.#options.answers.refuse(path, why)
  }

  forget(reference: string): void {
    this.#options.answers.forget(reference)
  }
}

type Kind = { readonly weight: number; run(load: Load, random: Random): Promise<unknown> }

/** The actions of clients, weighted by frequency. */
const KINDS: Readonly<Record<string, Kind>> = {
  known: { weight: 55, run: (load, random) => load.ask(random.pick(questionsOf(load.subject(random)))) },
  content: {
    weight: 8,
    run(load, random) {
      const subject = load.subject(random)
      const paths = [...subject.truth.files.keys()]
      return paths.length === 0
        ? load.ask(reportOf(subject))
        : load.ask(contentOf(subject, random.pick(paths)))
    },
  },
  diff: { weight: 8, run: (load, random) => load.ask(load.diff(random)) },
  export: {
    weight: 3,
    async run(load, random) {
      const subject = load.subject(random)
      if (bytesOf(subject.truth) > SMALL_EXPORT_BYTES && random.below(10) > 0) return
      await load.ask(exportOf(subject))
    },
  },
  cold: {
    weight: 8,
    async run(load) {
      const subject = await load.newImage()
      await Promise.all([
        load.ask(reportOf(subject)),
        load.ask(filesOf(subject)),
        load.ask(reportOf(subject)),
      ])
    },
  },
  polled: {
    weight: 3,
    async run(load) {
      const subject = await load.newImage()
      const path = reportOf(subject).path.replace(/&wait=\d+/, '')
      for (let poll = 0; poll < POLLS; poll++) {
        const { status } = await discarded(await load.fetch(path))
        if (status === 200) break
        if (status !== 202) load.refuse(path, `a poll is answered with ${status}`)
        await sleep(POLL_MILLISECONDS)
      }
      await load.ask(reportOf(subject))
    },
  },
  followed: {
    weight: 3,
    async run(load) {
      const subject = await load.newImage()
      const started = await load.fetch('/v1/analyses', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ image: subject.reference }),
      })
      const { id } = await started.json()
      const events = await (await load.fetch(`/v1/analyses/${id}/events`)).text()
      if (!events.includes('event: succeeded')) load.refuse(subject.reference, `its events are ${events}`)
      await load.ask(reportOf(subject))
    },
  },
  upload: {
    weight: 3,
    async run(load, random) {
      const { image, truth } = random.below(2) === 0 ? await load.newImage() : load.made(random)
      const archive = packArchive(ociLayout([{ image }]))
      const answer = await load.fetch('/v1/uploads', { method: 'PUT', body: Buffer.from(archive) })
      const { id, reference } = await answer.json()
      if (answer.status !== 201)
        return load.refuse('/v1/uploads', `an archive is answered with ${answer.status}`)
      const subject = { reference, truth }
      await load.ask(reportOf(subject))
      await load.ask(filesOf(subject))
      load.forget(reference)
      // Uploads that nobody deletes expire.
      if (random.below(2) === 0) await discarded(await load.fetch(`/v1/uploads/${id}`, { method: 'DELETE' }))
    },
  },
  leavesAnalysis: {
    weight: 3,
    async run(load, random) {
      const subject = await load.newImage()
      await leave(load, random, reportOf(subject).path)
      if (random.below(2) === 0) await load.ask(reportOf(subject))
    },
  },
  leavesAnswer: {
    weight: 3,
    async run(load, random) {
      const subject = load.subject(random)
      await leave(load, random, random.pick([exportOf, filesOf])(subject).path)
    },
  },
  leavesUpload: {
    weight: 1,
    async run(load, random) {
      const archive = packArchive(ociLayout([{ image: load.made(random).image }]))
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(archive.subarray(0, random.below(archive.length)))
        },
      })
      await leave(load, random, '/v1/uploads', { method: 'PUT', body, duplex: 'half' })
    },
  },
  slow: {
    weight: 2,
    async run(load, random) {
      const subject = load.subject(random)
      const isSmall = bytesOf(subject.truth) < SMALL_EXPORT_BYTES
      await load.ask(isSmall ? exportOf(subject) : filesOf(subject), slowly)
    },
  },
}

function bytesOf({ facts }: Truth): number {
  return Number(facts['size.apparentBytes'])
}

async function wholeOf(answer: Response): Promise<Uint8Array> {
  return new Uint8Array(await answer.arrayBuffer())
}

async function discarded(answer: Response): Promise<Response> {
  await answer.arrayBuffer()
  return answer
}

async function slowly(answer: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let paused = 0
  for await (const chunk of answer.body ?? []) {
    chunks.push(chunk)
    for (let at = 0; at < chunk.length && paused < SLOW_PIECES; at += SLOW_PIECE_BYTES, paused++)
      await sleep(SLOW_MILLISECONDS)
  }
  return Buffer.concat(chunks)
}

/** Sends a request and leaves a moment later, whether or not an answer has begun. */
async function leave(
  load: Load,
  random: Random,
  path: string,
  init: RequestInit & { readonly duplex?: 'half' } = {},
): Promise<void> {
  const control = new AbortController()
  const gone = sleep(random.below(LEAVES_WITHIN_MILLISECONDS)).then(() => control.abort())
  try {
    const answer = await load.fetch(path, { ...init, signal: control.signal })
    if (answer.status >= 500) load.refuse(path, `who leaves is answered with ${answer.status}`)
    await answer.arrayBuffer()
  } catch (error) {
    if (!control.signal.aborted) throw error
  }
  await gone
}
