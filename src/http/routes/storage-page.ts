/** The pages of what a repository stores, and of what tools say of an image's size. */
import { z } from '@hono/zod-openapi'
import { sizesPage } from '../../pages/sizes.ts'
import { storagePage, storageProgressPage } from '../../pages/storage.ts'
import { readStorage } from '../../service/fleet/storage.ts'
import { sizesOf } from '../../service/images/sizes.ts'
import { reclaimOf, sharingGroups, storageItems, storageTotal } from '../../storage/storage.ts'
import type { App } from '../backend.ts'
import { callerCredentials } from '../caller.ts'
import { analysedPage, imagePage, type PageBackend, pageAnswer } from '../page-answers.ts'
import { parsed } from '../problems.ts'
import { deletionOf, storageQuery } from '../storage-query.ts'
import { repositoryOf } from './registry.ts'

/** Seconds that tags are read before a reader sees how many there are. */
const WAIT = 1

const sizesQuery = z.object({ image: z.string(), platform: z.string().optional() })
const query = z.object({ ...storageQuery, sort: storageQuery.sort.catch('-uniqueBytes') })

export function addStoragePage(app: App, pages: PageBackend): void {
  const { backend } = pages

  app.get('/storage', (c) =>
    imagePage(pages, c, { image: c.req.query('repository') }, async () => {
      const asked = parsed(query, filledIn(c.req.queries()))
      const { registry, repository } = repositoryOf(asked.repository)
      const name = `${registry}/${repository}`
      const deletion = deletionOf(asked)
      const { ledger } = await readStorage(backend, {
        repository: { registry, repository },
        credentials: callerCredentials(backend.host.configuration, c, [name]),
        tags: asked.tag,
        wait: WAIT,
        signal: c.req.raw.signal,
      })
      const left = ledger.left.length
      if (left > 0) {
        const tags = { done: ledger.names.length - left, all: ledger.names.length }
        return pageAnswer(pages, storageProgressPage(name, tags), { status: 202 })
      }
      const items = storageItems(ledger, asked.sort)
      const page = storagePage({
        repository: name,
        total: storageTotal(ledger),
        items,
        groups: sharingGroups(ledger, items),
        reclaim: deletion && reclaimOf(ledger, deletion),
        asked,
      })
      return pageAnswer(pages, page)
    }),
  )

  app.get('/sizes', (c) =>
    imagePage(pages, c, { image: c.req.query('image') }, () =>
      analysedPage(pages, c, parsed(sizesQuery, c.req.query()), async (analysed) =>
        sizesPage({ image: analysed.image.identity, items: await sizesOf(backend.host.store, analysed) }),
      ),
    ),
  )
}

/** The fields of the form that are not empty. Several globs in one field are separated by spaces. */
function filledIn(queries: Readonly<Record<string, readonly string[]>>): Record<string, string | string[]> {
  const filled = Object.entries(queries).map(([name, values]): [string, string[]] => [
    name,
    values.flatMap((value) => value.split(' ')).filter((value) => value !== ''),
  ])
  return Object.fromEntries(
    filled.flatMap(([name, [first, ...more]]): [string, string | string[]][] =>
      first === undefined ? [] : [[name, more.length === 0 ? first : [first, ...more]]],
    ),
  )
}
