/** Images in a registry that can be cut off, and the right answers about them, taken from a service that nobody kills. */

import { FixtureRegistry } from '../registry/fixture.ts'
import { startApp } from '../support/app.ts'
import { makeImage, makeLayer, type TestLayer } from '../support/images.ts'
import type { Random } from '../support/random.ts'
import { type Stored, storedIndex } from '../support/stored.ts'
import { Line } from './line.ts'

const FILES = 300
const MOST_FILE_BYTES = 4_000

/** The requests made for each image. */
const QUESTIONS = ['/v1/report?wait=20', '/v1/files?limit=200', '/v1/waste?limit=200']

export type Known = {
  readonly reference: string
  /** A request and its right answer. */
  readonly answers: ReadonlyMap<string, string>
}

export class Model {
  readonly registry: { readonly name: string; kill(): Promise<void>; restart(): Promise<void> }
  readonly #fixture: FixtureRegistry
  readonly #line: Line
  readonly #random: Random
  readonly #healthy = startApp()
  readonly #layers: TestLayer[] = []
  #made = 0

  private constructor(fixture: FixtureRegistry, line: Line, random: Random) {
    this.#fixture = fixture
    this.#line = line
    this.#random = random
    this.registry = { name: 'the registry', kill: () => line.cut(), restart: () => line.mend() }
  }

  static async start(random: Random): Promise<Model> {
    const fixture = await FixtureRegistry.start()
    const port = Number(fixture.host.split(':')[1])
    return new Model(fixture, await Line.to(port), random)
  }

  /** An image of one layer that others may share and two new ones. The registry must be up. */
  async newImage(): Promise<Known> {
    const shared = this.#layers.length > 0 ? this.#random.pick(this.#layers) : await this.#newLayer()
    const image = makeImage([shared, await this.#newLayer(), await this.#newLayer()])
    const name = `crash-${this.#made++}`
    this.#fixture.push(name, 'v1', image)
    const reference = `127.0.0.1:${this.#line.port}/${name}:v1`
    const answers = new Map<string, string>()
    for (const question of QUESTIONS) {
      const asked = `${question}&image=${encodeURIComponent(reference)}`
      const response = await this.#healthy.ask(asked)
      const text = await response.text()
      if (response.status !== 200) throw new Error(`the healthy service answers ${asked} with ${text}`)
      answers.set(asked, text)
    }
    return { reference, answers }
  }

  /** Everything a store has of these images if nothing went wrong. */
  stored(): Promise<Stored> {
    return storedIndex(this.#healthy.store)
  }

  async stop(): Promise<void> {
    await this.#line.cut()
    await this.#fixture.close()
  }

  async #newLayer(): Promise<TestLayer> {
    const seed = this.#random.below(2 ** 32)
    const files = Array.from({ length: FILES }, (_, n) => ({
      name: `usr/${n % 7}/${this.#random.below(200)}-${n}`,
      content: `${seed} ${n} `.repeat(this.#random.below(MOST_FILE_BYTES / 20)),
    }))
    const layer = await makeLayer(files)
    this.#layers.push(layer)
    return layer
  }
}
