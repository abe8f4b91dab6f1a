/**
 * Every parser on inputs close to those in `corpus/`: each input gives a value, a problem, or an error that callers expect,
 * and no more output than the input allows. A finding is kept as a file of the corpus, which is tried unchanged and mutated.
 */
import { readdir, readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Problem } from '../../src/problem.ts'
import { tries } from '../layers/tries.ts'
import { nearTo } from './mutate.ts'
import { PARSERS, type Parser } from './parsers.ts'

const CORPUS = new URL('corpus/', import.meta.url)

async function seedsOf(name: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const folder = new URL(`${name}/`, CORPUS)
  const names = (await readdir(folder)).sort()
  return new Map(
    await Promise.all(names.map(async (file) => [file, await readFile(new URL(file, folder))] as const)),
  )
}

/** @throws what the parser should not have thrown */
async function run({ parse, throws = [] }: Parser, bytes: Uint8Array): Promise<void> {
  try {
    await parse(bytes)
  } catch (error) {
    if (error instanceof Problem) expect(error.code).not.toBe('internal_error')
    else if (!throws.some((expected) => error instanceof expected)) throw error
  }
}

it('each parser has a corpus, and each corpus a parser', async () => {
  expect((await readdir(CORPUS)).sort()).toEqual(Object.keys(PARSERS).sort())
})

describe.each(Object.entries(PARSERS))('%s', (name, parser) => {
  it('reads the corpus', async () => {
    const seeds = await seedsOf(name)
    expect(seeds.size).toBeGreaterThan(0)
    for (const bytes of seeds.values()) await run(parser, bytes)
  })

  it('terminates on any input', async () => {
    const seeds = [...(await seedsOf(name)).values()]
    await fc.assert(
      fc.asyncProperty(nearTo(seeds), (bytes) => run(parser, bytes)),
      {
        numRuns: tries(150, 1_000_000),
        // All parsers together take less than an hour.
        interruptAfterTimeLimit: tries(500, 100_000),
        markInterruptAsFailure: false,
      },
    )
  })
})
