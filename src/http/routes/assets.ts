/** The files that pages load. Files with a version in their URL never change. */
import { ASSETS_PATH, type Assets, assetsVersion, assetType, VERSIONED } from '../../pages/assets.ts'
import { Problem } from '../../problem.ts'
import type { App } from '../backend.ts'
import { entityTag, isUnchanged, notModified } from '../middleware/conditional.ts'

const FOR_GOOD = 'public, max-age=31536000, immutable'
const FOR_MINUTES = 'public, max-age=300'

export function addAssets(app: App, assets: Assets): void {
  const tags = new Tags()
  const answer = async (name: string, cacheControl: string, known: string | undefined): Promise<Response> => {
    const bytes = await assets(name)
    if (bytes === undefined) throw new Problem('not_found', 'no such file')
    const tag = tags.of(name, bytes)
    const headers = new Headers({ ETag: tag, 'Cache-Control': cacheControl })
    if (isUnchanged(known, tag)) return notModified(headers)
    headers.set('Content-Type', assetType(name))
    return new Response(bytes, { headers })
  }
  app.get(`${ASSETS_PATH}:name`, (c) =>
    answer(c.req.param('name'), FOR_MINUTES, c.req.header('If-None-Match')),
  )
  app.get(`${ASSETS_PATH}:version/:name`, async (c) => {
    const { version, name } = c.req.param()
    // A page of another version may still request its files; it gets the current ones.
    const isCurrent = VERSIONED.some((one) => one === name) && version === (await assetsVersion(assets))
    return answer(name, isCurrent ? FOR_GOOD : FOR_MINUTES, c.req.header('If-None-Match'))
  })
}

/** Entity tags by name: files do not change while the service runs. */
class Tags {
  readonly #known = new Map<string, string>()

  of(name: string, bytes: Uint8Array): string {
    const tag = this.#known.get(name) ?? entityTag([Buffer.from(bytes).toString('latin1')])
    this.#known.set(name, tag)
    return tag
  }
}
