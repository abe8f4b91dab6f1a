/** The first page and what it leads to: reports, diffs, the documentation. */

import type { CompressionSaving } from '../../advice/compression.ts'
import { allOf } from '../../concurrency.ts'
import { type StandsOn, standsOn } from '../../formats/base-view.ts'
import type { ObjectStore } from '../../host.ts'
import type { Area } from '../../image/areas.ts'
import { PACKAGES } from '../../image/package-table.ts'
import type { Package } from '../../image/report.ts'
import { isPullKnown } from '../../image/stored.ts'
import { showWasted } from '../../image/waste.ts'
import { pastedReference } from '../../oci/pasted.ts'
import type { Assets } from '../../pages/assets.ts'
import { DOCS_POLICY, docsPage } from '../../pages/docs.ts'
import { homePage, type SignIn } from '../../pages/home.ts'
import { type Html, link } from '../../pages/page.ts'
import { type Runs, reportPage } from '../../pages/report.ts'
import { WIDE } from '../../pages/treemap/figure.ts'
import { smallestShare } from '../../pages/treemap/layout.ts'
import { Problem } from '../../problem.ts'
import { baseInTime } from '../../service/base/base-in-time.ts'
import { reportAdvice } from '../../service/images/advice.ts'
import type { AnalysedImage } from '../../service/images/analyse.ts'
import { measuredSaving } from '../../service/images/compression.ts'
import { duplicatesOf, packagesOf, WHOLE_FETCH_BYTES, wasteOf } from '../../service/images/image-tables.ts'
import { type TreemapQuestion, treemapOf } from '../../service/images/treemap.ts'
import { Largest } from '../../table/largest.ts'
import { plainRow } from '../../table/table.ts'
import { openFor } from '../answers.ts'
import type { App, Backend, RequestContext } from '../backend.ts'
import { baseCaller } from '../caller.ts'
import {
  imagePage,
  keptPage,
  type PageBackend,
  pageAnswer,
  progressAnswer,
  stateOf,
} from '../page-answers.ts'
import type { Sessions } from '../session.ts'
import { addAssets } from './assets.ts'
import { addDiffPages, diffAnswer } from './diff-pages.ts'
import { addFilesPage } from './files-page.ts'
import { addLoginPages } from './login-pages.ts'
import { type MapAsked, mapAsked } from './map-asked.ts'
import { addMapPage, MAP_DEPTH } from './map-page.ts'
import { addRegistryPages } from './registry-pages.ts'
import { addStoragePage } from './storage-page.ts'
import { addUnownedPage } from './unowned-page.ts'

const WASTE_ROWS = 20
const DUPLICATE_ROWS = 15
const PACKAGE_ROWS = 25

/** The form of the first page; for two images it becomes `from` and `to`. */
type PageQuery = Readonly<
  Partial<Record<'image' | 'baseline' | 'platform' | 'from' | 'to' | 'fromPlatform' | 'toPlatform', string>>
>

export type PageParts = {
  /** The files that pages load. */
  readonly assets: Assets
  readonly sessions: Sessions
}

export function addPages(app: App, backend: Backend, { assets, sessions }: PageParts): void {
  const pages: PageBackend = { backend, assets, offersLogin: sessions.areOffered }

  app.get('/', (c) => {
    const query: PageQuery = queryOf(c.req.query())
    const { image, baseline, platform, from, to } = query
    if (image !== undefined && baseline !== undefined) {
      return c.redirect(
        link('/', { from: baseline, to: image, fromPlatform: platform, toPlatform: platform }),
        303,
      )
    }
    if (image === undefined && from === undefined && to === undefined)
      return pageAnswer(pages, homePage(signInOf(c, pages)))
    const values = { image: image ?? to, baseline: baseline ?? from, platform }
    return imagePage(pages, c, values, () => {
      if (image === undefined) return diffAnswer(pages, c, { ...query, ...bothOf(query) })
      const { origin } = new URL(c.req.url)
      return reportAnswer(pages, c, { image, platform }, { origin, ...mapAsked(c) })
    })
  })

  app.get('/docs', () => pageAnswer(pages, docsPage(), { policy: DOCS_POLICY }))

  addLoginPages(app, pages, sessions)
  addDiffPages(app, pages)
  addMapPage(app, pages)
  addFilesPage(app, pages)
  addRegistryPages(app, pages)
  addStoragePage(app, pages)
  addUnownedPage(app, pages)
  addAssets(app, assets)
}

/** What the first page says about signing in. */
function signInOf({ var: { session } }: RequestContext, { backend, offersLogin }: PageBackend): SignIn {
  if (!offersLogin) return {}
  const needsToken = backend.host.configuration.tokens.length > 0
  const isSignedIn = needsToken
    ? session?.token !== undefined
    : Object.keys(session?.registries ?? {}).length > 0
  return { isSignedIn, needsToken, form: session?.form }
}

const REFERENCES = new Set(['image', 'baseline', 'from', 'to'])

/** The fields that were filled in, with references completed. */
function queryOf(query: Readonly<Record<string, string>>): PageQuery {
  const filled = Object.entries(query).map(([name, value]): [string, string] => [name, value.trim()])
  const given = filled
    .filter(([, value]) => value !== '')
    .map(([name, value]) => [name, REFERENCES.has(name) ? pastedReference(value) : value])
  return Object.fromEntries(given)
}

/** @throws Problem `invalid_parameter` if one of the two is missing */
function bothOf({ from, to }: PageQuery): { readonly from: string; readonly to: string } {
  if (from !== undefined && to !== undefined) return { from, to }
  const detail = 'a comparison needs two images: `from` and `to`'
  throw new Problem('invalid_parameter', detail, { parameter: from === undefined ? 'from' : 'to' })
}

async function reportAnswer(
  pages: PageBackend,
  c: RequestContext,
  query: { readonly image: string; readonly platform?: string | undefined },
  asked: ReportAsked,
): Promise<Response> {
  const { backend } = pages
  const opened = await openFor(backend, c, query)
  const saving = await measuredSaving(backend, opened)
  const state = await stateOf(backend, c, opened)
  if (!('facts' in state)) return progressAnswer(pages, [state])
  const { image, facts } = state
  const found = await baseInTime(backend, image, baseCaller(backend, c, [query.image]))
  const base = found && standsOn(found.report, isPullKnown(image.identity, facts.size.stored))
  const inputs = { images: [image], also: JSON.stringify([saving, base]) }
  return keptPage(pages, c, inputs, () => reportOf(backend, state, { ...asked, saving, base }))
}

type ReportAsked = MapAsked & { readonly origin: string }

/** Found for this answer, so that it is no part of the analysis. */
type Found = { readonly saving: CompressionSaving | undefined; readonly base: StandsOn | undefined }

async function reportOf(
  backend: Backend,
  analysed: AnalysedImage,
  { key, colour, origin, saving, base }: ReportAsked & Found,
): Promise<Html> {
  const { store } = backend.host
  const { image, facts } = analysed
  const baseLayers = base?.layers ?? 0
  const question = { key, depth: MAP_DEPTH, colour, baseLayers, smallest: smallestShare(WIDE) }
  const [waste, duplicates, packages, advice, areas] = await allOf([
    (async () => firstRows((await wasteOf(store, image))(0), WASTE_ROWS))(),
    (async () => firstRows((await duplicatesOf(store, image, 'image'))(0), DUPLICATE_ROWS))(),
    (async () => largestPackages((await packagesOf(store, image))(0, WHOLE_FETCH_BYTES)))(),
    reportAdvice(backend, analysed, saving),
    areasOf(store, analysed, question),
  ])
  const report = { image: image.identity, ...facts }
  return reportPage({
    report,
    waste: waste.map(showWasted),
    duplicates,
    packages,
    advice,
    areas,
    colour,
    base,
    runs: runsOf(image),
    origin,
  })
}

function runsOf({ config: { config }, configBytes }: AnalysedImage['image']): Runs {
  const { entrypoint, cmd, user, workingDir, exposedPorts: ports } = config
  return { entrypoint, cmd, user, workingDir, ports, configBytes: configBytes.length }
}

/** The image may have no such directory, if the link is of another tag: then it shows all of it. */
async function areasOf(
  store: ObjectStore,
  analysed: AnalysedImage,
  question: TreemapQuestion,
): Promise<Area> {
  try {
    return await treemapOf(store, analysed, question)
  } catch (error) {
    if (error instanceof Problem && error.code === 'path_not_found' && question.key !== '')
      return treemapOf(store, analysed, { ...question, key: '' })
    throw error
  }
}

async function firstRows<Row>(batches: AsyncIterable<readonly Row[]>, count: number): Promise<Row[]> {
  const first: Row[] = []
  for await (const batch of batches) {
    first.push(...batch.slice(0, count - first.length))
    if (first.length === count) break
  }
  return first
}

async function largestPackages(batches: AsyncIterable<readonly Package[]>): Promise<Package[]> {
  const largest = new Largest<Package>(PACKAGE_ROWS)
  let ordinal = 0
  for await (const batch of batches) {
    for (const found of batch) largest.add(found.bytes ?? 0, ordinal++, () => plainRow(PACKAGES, found))
  }
  return largest.sorted().map(({ item }) => item)
}
