import { describe, expect, it } from 'vitest'
import { type ArchiveFiles, ociLayout, packArchive, repeatedImages } from '../../../test/support/archives.ts'
import { makeImage, makeIndex, makeLayer } from '../../../test/support/images.ts'
import { Archive } from './archive.ts'
import { readLayout } from './layout.ts'
import { findMembers } from './members.ts'

const layer = await makeLayer([{ name: 'a', content: 'a' }], { compression: 'none' })
const image = makeImage([layer])

async function open(files: ArchiveFiles) {
  const bytes = packArchive(files)
  const reader = {
    size: bytes.length,
    read: async ({ offset, length }: { readonly offset: number; readonly length: number }) =>
      new Blob([Buffer.from(bytes.subarray(offset, offset + length))]).stream(),
  }
  return { index: await readLayout(await findMembers(reader), reader), reader }
}

/** Images that differ by how often they list their one layer; the config must say as much. */
function stacked(times: number) {
  return makeImage(new Array(times).fill(layer))
}

describe('limits', () => {
  const names = (count: number, prefix = 'app') => Array.from({ length: count }, (_, i) => `${prefix}:${i}`)

  it('an image has at most 1,000 names, and one that is listed again has those of both', async () => {
    const files = repeatedImages(image, [{ names: names(600) }, { names: names(600) }])
    expect((await open(files)).index.entries).toMatchObject([{ names: names(600) }])
    const more = repeatedImages(image, [{ names: names(600) }, { names: names(401, 'other') }])
    await expect(open(more)).rejects.toMatchObject({ code: 'too_large' })
  })

  it('a name has at most 512 characters', async () => {
    const named = (length: number) => repeatedImages(image, [{ names: ['n'.repeat(length)] }])
    expect((await open(named(512))).index.images).toHaveLength(1)
    await expect(open(named(513))).rejects.toMatchObject({ code: 'too_large' })
  })

  it('an index may list an image often; its names count once for each image below it', async () => {
    const images = Array.from({ length: 20 }, (_, i) =>
      makeImage([layer], { config: { created: new Date(i * 1000).toISOString() } }),
    )
    const index = makeIndex(Array.from({ length: 10 }, () => images.map((one) => [one] as const)).flat())
    const entries = Array.from({ length: 600 }, (_, i) => ({ image: index, name: `v${i}` }))
    const { index: read } = await open(ociLayout(entries.slice(0, 400)))
    expect(read.entries).toMatchObject([{ images: images.map(({ descriptor }) => descriptor.digest) }])
    await expect(open(ociLayout(entries))).rejects.toMatchObject({ code: 'too_large' })
  })

  it('manifests that must be made list at most 20,000 layers together', async () => {
    const times = 1_000
    const made = (count: number) =>
      repeatedImages(
        stacked(times),
        Array.from({ length: count }, (_, i) => ({ names: [`app:${i}`], times })),
      )
    const { index, reader } = await open(made(20))
    const [only] = index.images
    const bytes = await new Archive(index, reader).manifest(only?.digest ?? '')
    expect(JSON.parse(Buffer.from(bytes).toString()).layers).toHaveLength(times)
    await expect(open(made(21))).rejects.toMatchObject({ code: 'too_large' })
  })
})

it('a name without a tag is the latest, and one that fits several images chooses by platform', async () => {
  const arm = makeImage([layer], { platform: { os: 'linux', architecture: 'arm64' } })
  const { index, reader } = await open(
    ociLayout([
      { image, name: 'docker.io/library/app:latest' },
      { image: arm, name: 'app:latest' },
      { image: arm, name: 'app:arm' },
    ]),
  )
  const archive = new Archive(index, reader)
  for (const name of ['', 'app', 'app:latest', 'docker.io/library/app'])
    expect(archive.resolve(name), name).toMatchObject({ isListing: true })
  for (const name of ['app:arm', arm.descriptor.digest])
    expect(archive.resolve(name)).toEqual({ digest: arm.descriptor.digest })
  for (const name of ['app:v2', `sha256:${'0'.repeat(64)}`])
    expect(() => archive.resolve(name)).toThrow('it has "app:latest", "app:latest"')
})
