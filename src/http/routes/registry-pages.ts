/** Pages about what a registry has besides an image: the tags of its repository, the platforms of its reference, what is attached. */
import { z } from '@hono/zod-openapi'
import { parseImageReference } from '../../oci/image-reference.ts'
import { formatPlatform } from '../../oci/platform.ts'
import { listPlatforms } from '../../oci/select.ts'
import { refOf, resolveFor } from '../../open/open-image.ts'
import { openSource } from '../../open/open-source.ts'
import { attachedPage } from '../../pages/attached.ts'
import { platformsPage } from '../../pages/platforms.ts'
import { tagsPage } from '../../pages/tags.ts'
import { listAttached } from '../../service/attached/list.ts'
import { RepositoryImages } from '../../service/fleet/repository-images.ts'
import { openFor } from '../answers.ts'
import type { App } from '../backend.ts'
import { callerCredentials } from '../caller.ts'
import { imagePage, type PageBackend, pageAnswer } from '../page-answers.ts'
import { parsed } from '../problems.ts'
import { repositoryOf } from './registry.ts'

/** More would ask the registry too much for one page. */
const TAGS = 30

const tagsQuery = z.object({
  repository: z.string(),
  tag: z.string().optional(),
  platform: z.string().optional(),
})
const imageQuery = z.object({ image: z.string(), platform: z.string().optional() })

export function addRegistryPages(app: App, pages: PageBackend): void {
  const { backend } = pages

  app.get('/tags', (c) =>
    imagePage(pages, c, { image: c.req.query('repository') }, async () => {
      const { repository: asked, tag, platform } = parsed(tagsQuery, c.req.query())
      const { registry, repository } = repositoryOf(asked)
      const name = `${registry}/${repository}`
      const images = new RepositoryImages(backend, {
        repository: { registry, repository },
        credentials: callerCredentials(backend.host.configuration, c, [name]),
        platform,
        tag: () => true,
        sort: 'name',
        signal: c.req.raw.signal,
      })
      const tags = await images.newest(TAGS)
      return pageAnswer(pages, tagsPage({ repository: name, tag, platform, tags, limit: TAGS }))
    }),
  )

  app.get('/platforms', (c) =>
    imagePage(pages, c, { image: c.req.query('image') }, async () => {
      const { image, platform } = parsed(imageQuery, c.req.query())
      const reference = parseImageReference(image)
      const credentials = callerCredentials(backend.host.configuration, c, [image])
      const source = openSource(backend, refOf(reference, credentials), c.req.raw.signal)
      const { selection } = await resolveFor(source, reference)
      const offered = (await listPlatforms(await selection())).map((one) => ({
        platform: formatPlatform(one.platform),
        // What an archive stores may not be what a pull takes.
        ...(reference.transport === 'docker' ? { compressedBytes: one.compressedBytes } : {}),
      }))
      return pageAnswer(pages, platformsPage({ image, platform, offered }))
    }),
  )

  app.get('/attached', (c) =>
    imagePage(pages, c, { image: c.req.query('image') }, async () => {
      const image = await openFor(backend, c, parsed(imageQuery, c.req.query()))
      const attached = await listAttached(backend, image, { signal: c.req.raw.signal })
      return pageAnswer(pages, attachedPage({ image: image.identity, attached }))
    }),
  )
}
