/** Advice about an analysed image, from its tables. */
import {
  type Advice,
  type AdviceItem,
  type AdviceTables,
  advise,
  type CountedFile,
} from '../../advice/advise.ts'
import { type CompressionSaving, withCompression } from '../../advice/compression.ts'
import { newItems } from '../../advice/new-items.ts'
import { whoseItem } from '../../advice/whose-item.ts'
import { inParallel } from '../../concurrency.ts'
import { findDuplicates } from '../../gate/duplicated.ts'
import { type Exclusion, exclusionOf } from '../../gate/exclusion.ts'
import type { AutoBase } from '../../gate/subject.ts'
import type { ObjectStore } from '../../host.ts'
import { findBuildTools } from '../../image/packages/stored-inventory.ts'
import type { BuildTools, ImageFacts } from '../../image/report.ts'
import { isPullKnown } from '../../image/stored.ts'
import type { SecretValue } from '../../oci/secret-values.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import type { AnalysedImage } from './analyse.ts'
import {
  databasesOf,
  duplicatesOf,
  filesOf,
  filesTable,
  forgettingLost,
  membersTable,
  WHOLE_FETCH_BYTES,
  wasteOf,
} from './image-tables.ts'
import { type LayerStep, layerSteps } from './layer-steps.ts'
import { insideFiles } from './package-owners.ts'

/** How many layers' facts are read at the same time. */
const LAYERS_AT_ONCE = 16

export type AdviceQuestion = {
  readonly image: string
  /** Globs of paths to ignore. */
  readonly ignore: readonly string[]
  /** A base image, whose waste does not count, or `auto`. */
  readonly baseImage?: string | undefined
  /** The text of the image's Dockerfile: items then name its lines. */
  readonly dockerfile?: string | undefined
}

/** What {@link adviseOn} found, and about which image. */
export type Advised = {
  readonly image: OpenedImage
  readonly advice: Advice
  /** Present if the base image was found rather than named. */
  readonly autoBase?: AutoBase | undefined
  /** What of an image's advice is only the base's; present with a base image. */
  readonly baseItems?: readonly AdviceItem[]
}

/** The images that a question is about. */
export type AdviceImages = {
  readonly image: OpenedImage
  readonly facts: ImageFacts
  /** Present if the question names a base image, or one was found. */
  readonly base?: OpenedImage | undefined
  /** Present if it was found. */
  readonly autoBase?: AutoBase | undefined
}

/** @throws Problem `not_based_on`, `invalid_parameter` for a glob that cannot be read */
export async function adviseOn(
  store: ObjectStore,
  { image, facts, base, autoBase }: AdviceImages,
  { ignore, dockerfile }: AdviceQuestion,
): Promise<Advised> {
  const exclusion = exclusionOf(
    ignore,
    image.config.diffIds,
    base && { reference: base.identity.reference, diffIds: base.config.diffIds },
  )
  const advice = await adviceOf(store, { image, facts }, exclusion, base)
  const advised = { image, autoBase, advice: withLines(advice, layerSteps(image.config, dockerfile)) }
  if (base === undefined) return advised
  const whole = await adviceOf(store, { image, facts }, exclusionOf(ignore, image.config.diffIds, undefined))
  const baseLayers = exclusion?.baseLayers ?? 0
  return { ...advised, baseItems: whole.items.filter((item) => whoseItem(item, baseLayers) === 'base') }
}

/** Each item with the Dockerfile line of the step to change. */
export function withLines(advice: Advice, steps: readonly LayerStep[]): Advice {
  const lineOf = ({ layer, byLayer }: AdviceItem) => {
    const at = byLayer ?? layer
    return at === undefined ? undefined : steps[at]?.line
  }
  const items = advice.items.map((item) => {
    const line = lineOf(item)
    return line === undefined ? item : { ...item, line }
  })
  return { ...advice, items }
}

/** Advice on the second of two images that the first did not get. */
export async function newAdvice(
  store: ObjectStore,
  { from, to }: { readonly from: AnalysedImage; readonly to: AnalysedImage },
): Promise<readonly AdviceItem[]> {
  const [before, after] = [await adviceOf(store, from), await adviceOf(store, to)]
  return newItems(before.items, after.items)
}

/** All advice on an image, kept in memory for a while: it never changes. */
export async function knownAdvice({ host, memory }: Service, analysed: AnalysedImage): Promise<Advice> {
  const { index } = analysed.image
  const known = memory.advice.get(index)
  if (known !== undefined) return known
  const advice = await adviceOf(host.store, analysed)
  memory.advice.set(index, advice)
  return advice
}

/** The advice of a report: all that is known without excluding anything, and what another compression was measured to save. */
export async function reportAdvice(
  service: Service,
  analysed: AnalysedImage,
  saving: CompressionSaving | undefined,
): Promise<Advice> {
  const advice = await knownAdvice(service, analysed)
  const { image, facts } = analysed
  return isPullKnown(image.identity, facts.size.stored) ? withCompression(advice, saving) : advice
}

/** @param exclusion absent if everything counts */
export function adviceOf(
  store: ObjectStore,
  { image, facts }: AnalysedImage,
  exclusion?: Exclusion,
  base?: OpenedImage,
): Promise<Advice> {
  return advise({
    facts,
    secretValues: secretsOf(image, base),
    tables: adviceTables(store, image),
    exclusion,
    duplicates: (excluded) =>
      findDuplicates(
        {
          duplicates: () => whole(duplicatesOf(store, image, 'image')),
          files: () => whole(filesOf(store, image)),
        },
        excluded,
      ),
    buildTools: (counts) => buildToolsOf(store, image, counts),
  })
}

/** Without what the base image's config has as well. */
function secretsOf(image: OpenedImage, base: OpenedImage | undefined): readonly SecretValue[] {
  const nameOf = ({ kind, name, mark }: SecretValue) => JSON.stringify([kind, name, mark])
  const known = new Set(base?.config.secretValues?.map(nameOf))
  return image.config.secretValues?.filter((value) => !known.has(nameOf(value))) ?? []
}

function buildToolsOf(
  store: ObjectStore,
  image: OpenedImage,
  counts: (file: CountedFile) => boolean,
): Promise<BuildTools | undefined> {
  return forgettingLost(store, image, async () => {
    const numbers = [...image.manifest.layers.keys()]
    const layers = await inParallel(numbers, LAYERS_AT_ONCE, (layer) => databasesOf(store, image, layer))
    return findBuildTools({ store, layers, files: () => filesTable(store, image) }, counts)
  })
}

function adviceTables(store: ObjectStore, image: OpenedImage): AdviceTables {
  const fetchBytes = WHOLE_FETCH_BYTES
  return {
    waste: () => whole(wasteOf(store, image)),
    duplicates: () => whole(duplicatesOf(store, image, 'image')),
    async *files() {
      const table = await filesTable(store, image)
      yield* table.rows({ columns: ['key', 'type', 'bytes', 'layer', 'inode', 'ordinal'], fetchBytes })
    },
    inside: () => insideFiles(store, image),
    async *members(layer) {
      const table = await membersTable(store, image, layer)
      yield* table.rows({ columns: ['key', 'type', 'bytes', 'whiteout'], fetchBytes })
    },
    async *metadata(layer) {
      const table = await membersTable(store, image, layer)
      yield* table.rows({ columns: ['key', 'mode', 'uid', 'gid', 'mtime', 'xattrs'], fetchBytes })
    },
  }
}

async function* whole<Row>(
  opened: Promise<(start: number, fetchBytes?: number) => AsyncIterable<readonly Row[]>>,
): AsyncGenerator<readonly Row[]> {
  yield* (await opened)(0, WHOLE_FETCH_BYTES)
}
