/** What images stand on, for answers that do not wait for a slow registry. */
import type { BaseReport } from '../../base/base.ts'
import { type BaseShare, baseShare } from '../../base/move.ts'
import { allOf } from '../../concurrency.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import type { Service } from '../../open/service.ts'
import { Problem } from '../../problem.ts'
import { within } from '../../timeout.ts'
import type { Pair } from '../images/diff.ts'
import { type DescribedBase, describeBase } from './describe.ts'
import type { BaseCaller, OpeningTimes } from './open-once.ts'

/** In milliseconds: for the base first, for its tag with what is left. */
const TIMES: OpeningTimes = { each: 1000, names: 1000, all: 1500 }
/** For everything: an image that is named by provenance needs more of its own registry. */
const DEADLINE = 2000

export type BaseInTime = Pick<DescribedBase, 'report' | 'isPublic'>

/** Undefined if it could not be found in time, or the image itself contradicts its config. */
export async function baseInTime(
  service: Service,
  image: OpenedImage,
  caller: BaseCaller,
): Promise<BaseInTime | undefined> {
  const { bases } = service.memory
  const { reference, digest, indexDigest } = image.identity
  const key = JSON.stringify([reference, digest, indexDigest])
  const known = bases.get(key)
  if (known !== undefined) return { report: known, isPublic: true }
  const found = await describeInTime(service, image, caller)
  if (found?.isPublic && isComplete(found.report)) bases.set(key, found.report)
  return found
}

/** What could not be read may be readable a moment later. */
function isComplete({ update, warnings }: BaseReport): boolean {
  return update?.state !== 'unknown' && warnings.every(({ problem }) => problem === undefined)
}

async function describeInTime(
  service: Service,
  image: OpenedImage,
  { credentials, signal: callerSignal }: BaseCaller,
): Promise<BaseInTime | undefined> {
  const error = () => new Problem('registry_timeout', 'the base image could not be found in time')
  const limit = { milliseconds: DEADLINE, error, signal: callerSignal }
  try {
    return await within(limit, (signal) =>
      describeBase(service, { image, candidates: [], alternatives: 0, credentials, signal, times: TIMES }),
    )
  } catch (failure) {
    callerSignal.throwIfAborted()
    if (failure instanceof Problem) return undefined
    throw failure
  }
}

export type FoundBases = {
  /** How two images divide into base and own; absent unless that is known of both. */
  readonly bases?: Pair<BaseShare>
  /** Every caller gets the same. */
  readonly isPublic: boolean
}

export async function basesInTime(
  service: Service,
  { from, to }: Pair<{ readonly image: OpenedImage }>,
  caller: BaseCaller,
): Promise<FoundBases> {
  const described = await allOf([from, to].map(({ image }) => baseInTime(service, image, caller)))
  const isPublic = described.every((one) => one?.isPublic ?? true)
  const [before, after] = described.map((one) => one && baseShare(one.report))
  return before === undefined || after === undefined
    ? { isPublic }
    : { bases: { from: before, to: after }, isPublic }
}
