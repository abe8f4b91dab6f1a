/** What an image stands on, for a page, which does not wait for a slow registry. */
import type { BaseReport } from '../../base/base.ts'
import { Problem } from '../../problem.ts'
import { within } from '../../timeout.ts'
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
