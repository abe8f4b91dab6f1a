/** Says at the end of a run which tests did not run, and how to run them. With `LAMINA_SKIP=never` a skipped test is a failure. */
import type { Reporter, TestModule, TestProject, Vitest } from 'vitest/node'

/** By project, in the words of who wants to run them. */
const COMMANDS = {
  slow: 'the slow tests (npm run test:all)',
  redis: 'those that need redis-server (npm run test:redis)',
}

export default class LeftOut implements Reporter {
  #projects: readonly TestProject[] = []
  #isSelection = false

  onInit({ projects, config }: Vitest): void {
    this.#projects = projects
    this.#isSelection = config.testNamePattern !== undefined
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.#isSelection) return
    const ran = new Set(this.#projects.map(({ name }) => name))
    const others = Object.entries(COMMANDS).flatMap(([name, words]) => (ran.has(name) ? [] : [words]))
    if (others.length > 0) console.log(`Not run: ${others.join(', ')}.`)
    const skipped = modules.flatMap((module) => {
      const tests = [...module.children.allTests('skipped')].length
      return tests === 0 ? [] : [`${tests} of ${module.relativeModuleId}`]
    })
    if (skipped.length === 0) return
    console.log(
      `Skipped, since this machine lacks what they need (Chromium, curl or rsync): ${skipped.join(', ')}.`,
    )
    if (process.env.LAMINA_SKIP === 'never') process.exitCode = 1
  }
}
