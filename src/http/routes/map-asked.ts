/** What the address of a page says about its treemap. */
import { TREEMAP_COLOURS, type TreemapColour } from '../../service/images/treemap.ts'
import type { PathKey } from '../../text/path.ts'
import type { RequestContext } from '../backend.ts'
import { pathAsked } from '../paths.ts'

export type MapAsked = { readonly key: PathKey; readonly colour: TreemapColour }

/** Where a reader has zoomed to in a page that has more than the treemap: what is wrong in it does not matter. */
export function mapAsked(c: RequestContext): MapAsked {
  const { path, pathBase64, color } = c.req.query()
  const colour = TREEMAP_COLOURS.find((one) => one === color) ?? 'layer'
  try {
    return { key: pathAsked({ path, pathBase64 }) ?? '', colour }
  } catch {
    return { key: '', colour }
  }
}
