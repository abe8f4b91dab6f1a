/** A gate with a baseline that may not exist yet: on the first run there is nothing to compare with. */
import { type ApiCaller, ask } from './ask.ts'
import { Failure } from './failure.ts'

/** Rules that compare with the baseline. */
export const GROWTH_RULES: ReadonlySet<string> = new Set([
  'maxGrowth',
  'maxCompressedGrowth',
  'maxGrowthOver',
  'maxPull',
])
/** Words of a policy that check nothing on their own. */
const NO_RULES = new Set(['baseline', 'historyTag', 'ignore', 'baseImage', 'minWasteBytes'])

export function comparesGrowth(policy: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(policy).some((key) => GROWTH_RULES.has(key))
}

/** The policy without a baseline: growth is not checked. Undefined if no rule is left. */
export function withoutGrowth(
  policy: Readonly<Record<string, unknown>>,
): Record<string, unknown> | undefined {
  const left = Object.entries(policy).filter(([key]) => key !== 'baseline' && !GROWTH_RULES.has(key))
  return left.some(([key]) => !NO_RULES.has(key)) ? Object.fromEntries(left) : undefined
}

/** Whether the image exists. @throws Failure if it cannot be read for any other reason */
export async function isThere(caller: ApiCaller, image: string, platform?: string): Promise<boolean> {
  const query = new URLSearchParams({ image, ...(platform === undefined ? {} : { platform }) })
  try {
    await (await ask(caller, { path: '/v1/config', query })).body?.cancel()
    return true
  } catch (error) {
    if (error instanceof Failure && error.code === 'image_not_found') return false
    throw error
  }
}
