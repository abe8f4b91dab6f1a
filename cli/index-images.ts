/** `lamina index`: reads many images into the cache, and prints a line as each is done. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { inParallel } from '../src/concurrency.ts'
import { terminalLine, terminalText } from '../src/formats/escape.ts'
import { type ApiCaller, analysed, type Target } from './ask.ts'
import { Failure, systemReason } from './failure.ts'
import { withTransport } from './names.ts'
import { openOutput } from './output.ts'
import type { Request } from './program.ts'

const AT_ONCE = 4

/**
 * @param elsewhere finds an image that its registry failed to show in an engine, and returns its name there; throws the failure otherwise
 * @returns the exit code: 2 if one failed
 */
export async function indexImages(
  caller: ApiCaller,
  targets: readonly Target[],
  elsewhere: (image: string, failure: unknown) => Promise<string>,
): Promise<number> {
  const output = openOutput(undefined)
  let code = 0
  await inParallel(targets, AT_ONCE, async (target) => {
    const name = terminalLine(terminalText(target.image))
    try {
      await analysed(caller, target).catch(async (failure: unknown) =>
        analysed(caller, { ...target, image: await elsewhere(target.image, failure) }),
      )
      await output.write(`${name}  indexed\n`)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      code = 2
      process.stderr.write(`${name}  ${error.sentence}\n`)
    }
  })
  return code
}

/** @throws Failure if no image is named */
export async function imagesToIndex({ parameters, settings }: Request): Promise<readonly Target[]> {
  const platform = parameters.get('platform')?.[0]
  const listed = settings.list === undefined ? [] : await readList(settings.list)
  const images = [...(parameters.get('image') ?? []), ...listed]
  if (images.length === 0) throw new Failure('usage', 'no image given; lamina index --help shows how')
  // The others are named by the request, which has their transports already.
  const named = await Promise.all(images.map((image) => withTransport(image, settings.source)))
  return named.map((image) => ({ image, platform }))
}

/** One image per line; empty lines and lines that begin with # are skipped. */
async function readList(file: string): Promise<readonly string[]> {
  const images: string[] = []
  try {
    const input = file === '-' ? process.stdin : createReadStream(file)
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const image = line.trim()
      if (image !== '' && !image.startsWith('#')) images.push(image)
    }
  } catch (error) {
    throw new Failure('input_error', `cannot read ${file}: ${systemReason(error)}`)
  }
  return images
}
