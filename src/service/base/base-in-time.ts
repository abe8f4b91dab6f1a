/** What images stand on, for answers that do not wait for a slow registry. */
import type { BaseReport } from '../../base/base.ts'
import { type BaseShare, baseShare } from '../../base/move.ts'
import { allOf } from '../../concurrency.ts'
import { Problem } from '../../problem.ts'
import { within } from '../../timeout.ts'
import type { Pair } from '../images/diff.ts'
import type { OpenedImage } from '../open/open-image.ts'
import type { Service } from '../service.ts'
import { describeBase } from './describe.ts'
import type { BaseCaller, OpeningTimes } from './open-once.ts'

/** In milliseconds: for the base first, for its tag with what is left. */
const TIMES: OpeningTimes = { each: 1000, names: 1000, all: 1500 }
/** For everything: an image that is named by provenance needs more of its own registry. */
const DEADLINE = 2000

/** Undefined if it could not be found in time, or the image itself contradicts its config. */
export async function baseInTime(
  service: Service,
  image: OpenedImage,
  { credentials, signal: callerSignal }: BaseCaller,
): Promise<BaseReport | undefined> {
  const error = () => new Problem('registry_timeout', 'the base image could not be found in time')
  const limit = { milliseconds: DEADLINE, error, signal: callerSignal }
  try {
    const described = await within(limit, (signal) =>
      describeBase(service, { image, candidates: [], alternatives: 0, credentials, signal, times: TIMES }),
    )
    return described.report
  } catch (failure) {
    callerSignal.throwIfAborted()
    if (failure instanceof Problem) return undefined
    throw failure
  }
}

/** How two images divide into base and own; undefined unless that is known of both. */
export async function basesInTime(
  service: Service,
  { from, to }: Pair<{ readonly image: OpenedImage }>,
  caller: BaseCaller,
): Promise<Pair<BaseShare> | undefined> {
  const shares = [from, to].map(async ({ image }) => {
    const report = await baseInTime(service, image, caller)
    return report && baseShare(report)
  })
  const [before, after] = await allOf(shares)
  return before === undefined || after === undefined ? undefined : { from: before, to: after }
}
