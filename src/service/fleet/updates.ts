/** What the updates through a series of images cost, and how its files would do in a few layers. */
import { createHash } from 'node:crypto'
import { yieldToRequests } from '../../concurrency.ts'
import type { ObjectStore } from '../../host.ts'
import { IDENTITY_COLUMNS, sortKey } from '../../layer/entry.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { Problem } from '../../problem.ts'
import { compareText } from '../../text/bytes.ts'
import { GroupHistories } from '../../update/group-histories.ts'
import { GROUP_COLUMNS, groupsOf, type ImageRows, largeFiles, TooManyGroups } from '../../update/groups.ts'
import { memberIdentity } from '../../update/member-identity.ts'
import { type Plan, planLayers } from '../../update/plan.ts'
import { describeSeries, type SkippedTag, type Updates } from '../../update/series.ts'
import type { AnalysedImage } from '../images/analyse.ts'
import { filesTable, membersTable, WHOLE_FETCH_BYTES } from '../images/image-tables.ts'
import { packageOwners } from '../images/package-owners.ts'
import { comparePulls, pullBetween } from '../images/update.ts'

export type UpdatesQuestion = {
  /** At least two, oldest first. */
  readonly images: readonly AnalysedImage[]
  /** The most layers that the plan may have. */
  readonly plan: number
  readonly baseImages: readonly OpenedImage[]
  readonly skipped: readonly SkippedTag[]
}

const MAX_GROUPS = 20_000

/** @throws Problem `not_based_on` if an image begins with none of the base images' layers; LostTable */
export async function updatesThrough(store: ObjectStore, question: UpdatesQuestion): Promise<Updates> {
  const bases = question.images.map(({ image }) => baseLayers(image, question.baseImages))
  const updates = []
  for (const [from, to] of neighbours(question.images)) {
    updates.push(await pullBetween(store, { from, to }))
    await yieldToRequests()
  }
  return describeSeries(updates, await planOrProblem(store, question, bases), question.skipped)
}

function neighbours<T>(items: readonly T[]): (readonly [T, T])[] {
  return items.slice(1).flatMap((to, i) => {
    const from = items[i]
    return from === undefined ? [] : [[from, to] as const]
  })
}

/** How many of the image's layers are the longest beginning that a base image shares. */
function baseLayers({ config, identity }: OpenedImage, baseImages: readonly OpenedImage[]): number {
  if (baseImages.length === 0) return 0
  const shared = baseImages.map((base) => {
    const end = config.diffIds.findIndex((diffId, i) => diffId !== base.config.diffIds[i])
    return end < 0 ? config.diffIds.length : end
  })
  const longest = Math.max(...shared)
  if (longest > 0) return longest
  const { reference } = identity
  throw new Problem('not_based_on', `${reference} begins with no layer of a base image`, { image: reference })
}

async function planOrProblem(
  store: ObjectStore,
  question: UpdatesQuestion,
  bases: readonly number[],
): Promise<Updates['plan']> {
  try {
    return await planOf(store, question, bases)
  } catch (error) {
    if (!(error instanceof TooManyGroups)) throw error
    const detail = `the images have more than ${MAX_GROUPS} groups of files that could change together`
    return { problem: new Problem('too_large', detail) }
  }
}

async function planOf(
  store: ObjectStore,
  { images, plan, baseImages }: UpdatesQuestion,
  bases: readonly number[],
): Promise<Plan> {
  const groups = await groupHistories(store, images, bases)
  const steps: PulledBytes[] = []
  for (const [from, to] of neighbours(images)) {
    steps.push(await pulledBytes(store, { from, to }, bases[steps.length + 1] ?? 0))
    await yieldToRequests()
  }
  const planned = planLayers(
    {
      groups,
      now: steps.map(({ now }) => now),
      reproducible: steps.map(({ reproducible }) => reproducible),
      base: steps.map(({ base }) => base),
    },
    plan,
  )
  if (baseImages.length === 0) return planned
  const layers = bases.at(-1) ?? 0
  const bytes = sumOf(images.at(-1)?.facts.layers.slice(0, layers) ?? [])
  return { ...planned, base: { layers, bytes } }
}

async function groupHistories(
  store: ObjectStore,
  images: readonly AnalysedImage[],
  bases: readonly number[],
): Promise<GroupHistories> {
  const histories = new GroupHistories(MAX_GROUPS)
  const last = images.at(-1)
  const large =
    last === undefined
      ? new Set<string>()
      : await largeFiles(await rowsOf(store, last.image, bases.at(-1) ?? 0))
  for (const [i, { image }] of images.entries()) {
    histories.add(await groupsOf(await rowsOf(store, image, bases[i] ?? 0), large, MAX_GROUPS))
    await yieldToRequests()
  }
  return histories
}

async function rowsOf(store: ObjectStore, image: OpenedImage, firstLayer: number): Promise<ImageRows> {
  const owners = await packageOwners(store, image)
  const files = await filesTable(store, image)
  return {
    rows: files.rows({ columns: GROUP_COLUMNS, fetchBytes: WHOLE_FETCH_BYTES }),
    ownerOf: (key) => owners.packageOf(key),
    firstLayer,
  }
}

type PulledBytes = { readonly now: number; readonly reproducible: number; readonly base: number }

/** Bytes of the regular files in the layers that a step pulls. */
async function pulledBytes(
  store: ObjectStore,
  pair: { readonly from: AnalysedImage; readonly to: AnalysedImage },
  baseLayers: number,
): Promise<PulledBytes> {
  const { states } = comparePulls({ from: pair.from.image, to: pair.to.image })
  const pulled = pair.to.facts.layers.filter((_, index) => states[index] !== 'shared')
  const changed = []
  for (const layer of pulled) {
    if (states[layer.index] === 'pulled' && !(await isRebuilt(store, pair, layer))) changed.push(layer)
  }
  return {
    now: sumOf(pulled),
    reproducible: sumOf(changed),
    base: sumOf(pulled.filter(({ index }) => index < baseLayers)),
  }
}

type Layer = AnalysedImage['facts']['layers'][number]

function sumOf(layers: readonly Layer[]): number {
  return layers.reduce((all, { fileBytes }) => all + fileBytes, 0)
}

/** Whether a layer of the old image has the same members, but for times and order. */
async function isRebuilt(
  store: ObjectStore,
  { from, to }: { readonly from: AnalysedImage; readonly to: AnalysedImage },
  layer: Layer,
): Promise<boolean> {
  const alike = from.facts.layers.filter(
    ({ entries, fileBytes }) => entries === layer.entries && fileBytes === layer.fileBytes,
  )
  if (alike.length === 0) return false
  const content = await layerContent(store, to.image, layer.index)
  for (const { index } of alike) if ((await layerContent(store, from.image, index)) === content) return true
  return false
}

const MEMBER_COLUMNS = [...IDENTITY_COLUMNS, 'whiteout'] as const

/** Equal for layers with equal members, whatever their times and order. Members of one path are sorted, since the table keeps theirs. */
async function layerContent(store: ObjectStore, image: OpenedImage, layer: number): Promise<string> {
  const table = await membersTable(store, image, layer)
  const hash = createHash('sha256')
  let path: string | undefined
  let members: string[] = []
  const flush = () => {
    for (const member of members.sort(compareText)) hash.update(member, 'latin1')
    members = []
  }
  for await (const rows of table.rows({ columns: MEMBER_COLUMNS, fetchBytes: WHOLE_FETCH_BYTES })) {
    for (const row of rows) {
      const at = sortKey(row)
      if (at !== path) flush()
      path = at
      members.push(memberIdentity(row))
    }
  }
  flush()
  return hash.digest('base64')
}
