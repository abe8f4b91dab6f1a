import { beforeAll, describe, expect, it } from 'vitest'
import {
  digestOf,
  jsonBytes,
  makeImage,
  makeIndex,
  makeLayer,
  type TestImage,
  type TestLayer,
  type TestManifest,
  type TestPlatform,
} from '../../test/support/images.ts'
import { Problem } from '../problem.ts'
import type { Descriptor } from './manifest.ts'
import { formatPlatform, parsePlatform } from './platform.ts'
import { listPlatforms, type SelectionSource, selectImage } from './select.ts'

/** Reads from the images and records what was read. */
function sourceOf(top: TestManifest): SelectionSource & { readonly reads: string[] } {
  const bytes = new Map<string, Uint8Array>()
  const collect = (manifest: TestManifest): void => {
    bytes.set(manifest.descriptor.digest, manifest.bytes)
    for (const [digest, blob] of manifest.blobs) bytes.set(digest, blob)
    manifest.children.forEach(collect)
  }
  collect(top)
  const reads: string[] = []
  return {
    top: { digest: top.descriptor.digest, bytes: top.bytes },
    reads,
    read: async (descriptor: Descriptor, kind) => {
      reads.push(`${kind} ${descriptor.digest}`)
      const found = bytes.get(descriptor.digest)
      if (found === undefined) throw new Problem('image_not_found', `no ${descriptor.digest}`)
      return found
    },
  }
}

async function selected(top: TestManifest, platform?: string) {
  const selection = await selectImage({
    ...sourceOf(top),
    platform: platform === undefined ? undefined : parsePlatform(platform),
  })
  return {
    digest: selection.digest,
    platform: formatPlatform(selection.platform),
    indexDigest: selection.indexDigest,
  }
}

const notFound = (...platforms: readonly string[]) =>
  expect.objectContaining({
    code: 'platform_not_found',
    fields: { platforms },
    message: expect.stringContaining(platforms.join(', ')),
  })

describe('selecting', () => {
  let layer: TestLayer
  let amd64: TestImage
  let arm64: TestImage
  let attestation: TestImage

  const on = (os: string, architecture: string, variant?: string): TestPlatform => ({
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
  })
  const image = (platform: TestPlatform) => makeImage([layer], { platform })

  beforeAll(async () => {
    layer = await makeLayer([{ name: 'a' }])
    amd64 = image(on('linux', 'amd64'))
    arm64 = image(on('linux', 'arm64', 'v8'))
    attestation = makeImage(
      [await makeLayer(jsonBytes({}), { descriptor: { mediaType: 'application/vnd.in-toto+json' } })],
      { platform: on('unknown', 'unknown') },
    )
  })

  it('an image without an index is used as it is if no platform is requested', async () => {
    expect(await selected(arm64)).toEqual({ digest: arm64.descriptor.digest, platform: 'linux/arm64' })
  })

  it('an image without an index must match the requested platform', async () => {
    expect(await selected(arm64, 'linux/arm64/v8')).toMatchObject({ digest: arm64.descriptor.digest })
    expect(await selected(amd64, 'linux/amd64/v3')).toMatchObject({ platform: 'linux/amd64' })
    await expect(selected(arm64, 'linux/amd64')).rejects.toThrow(notFound('linux/arm64'))
  })

  it("linux/amd64 is an index's default, and only what leads to it is read", async () => {
    const index = makeIndex([
      [arm64, { platform: on('linux', 'arm64', 'v8') }],
      [amd64, { platform: on('linux', 'amd64') }],
      [makeIndex([[image(on('linux', 's390x'))]])],
    ])
    const source = sourceOf(index)
    const selection = await selectImage({ ...source, platform: undefined })
    expect(selection).toMatchObject({ digest: amd64.descriptor.digest, indexDigest: index.descriptor.digest })
    expect(source.reads).toEqual([
      `manifest ${amd64.descriptor.digest}`,
      `config ${amd64.config.descriptor.digest}`,
    ])
    await expect(selected(makeIndex([[arm64, { platform: on('linux', 'arm64') }]]))).rejects.toThrow(
      notFound('linux/arm64'),
    )
  })

  it('the best variant wins, whatever its position', async () => {
    const [v5, v6, v7] = ['v5', 'v6', 'v7'].map((variant) => image(on('linux', 'arm', variant)))
    if (!v5 || !v6 || !v7) throw new Error('three images')
    const index = makeIndex([
      [v5, { platform: on('linux', 'arm', 'v5') }],
      [v7, { platform: on('linux', 'arm', 'v7') }],
      [v6, { platform: on('linux', 'arm', 'v6') }],
    ])
    expect(await selected(index, 'linux/arm')).toMatchObject({ digest: v7.descriptor.digest })
    expect(await selected(index, 'linux/arm/v6')).toMatchObject({ digest: v6.descriptor.digest })
    await expect(selected(index, 'linux/arm64')).rejects.toThrow(
      notFound('linux/arm/v5', 'linux/arm/v7', 'linux/arm/v6'),
    )
  })

  it('nested indexes are searched to a depth of five', async () => {
    const nest = (depth: number): TestManifest =>
      depth === 0
        ? amd64
        : makeIndex([[nest(depth - 1), depth === 1 ? { platform: on('linux', 'amd64') } : {}]])
    expect(await selected(nest(5))).toMatchObject({ digest: amd64.descriptor.digest })
    await expect(selected(nest(6))).rejects.toThrow(
      expect.objectContaining({ code: 'too_large', message: expect.stringContaining('5') }),
    )
  })

  it('an attestation is not a platform', async () => {
    const index = makeIndex([
      [attestation, { platform: on('unknown', 'unknown') }],
      [attestation, { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }],
      [attestation],
      [arm64, { platform: on('linux', 'arm64') }],
    ])
    await expect(selected(index)).rejects.toThrow(notFound('linux/arm64'))
    expect((await listPlatforms(sourceOf(index))).map((offer) => formatPlatform(offer.platform))).toEqual([
      'linux/arm64',
    ])
  })

  it('an entry without a platform is judged by its config', async () => {
    const v3 = image(on('linux', 'amd64', 'v3'))
    const index = makeIndex([[arm64], [amd64], [v3]])
    expect(await selected(index)).toMatchObject({ digest: amd64.descriptor.digest })
    expect(await selected(index, 'linux/arm64')).toMatchObject({ digest: arm64.descriptor.digest })
    expect(await selected(index, 'linux/amd64/v4')).toMatchObject({ digest: v3.descriptor.digest })
    await expect(selected(index, 'linux/mips')).rejects.toThrow(
      notFound('linux/arm64', 'linux/amd64', 'linux/amd64/v3'),
    )
  })

  it('an index may be empty', async () => {
    await expect(selected(makeIndex([]))).rejects.toThrow(notFound())
  })

  it('a manifest or config whose size differs from its descriptor is invalid', async () => {
    const index = makeIndex([[amd64, { platform: on('linux', 'amd64'), size: 1 }]])
    await expect(selected(index)).rejects.toThrow(
      expect.objectContaining({
        code: 'invalid_image',
        permanent: true,
        message: expect.stringContaining('says 1'),
      }),
    )
  })

  it('a chosen manifest with a digest of another algorithm is reported as unsupported', async () => {
    const digest = `sha512:${'a'.repeat(128)}`
    const index = makeIndex([
      [amd64, { platform: on('linux', 'amd64'), digest }],
      [arm64, { platform: on('linux', 'arm64') }],
    ])
    await expect(selected(index)).rejects.toThrow(expect.objectContaining({ code: 'unsupported_digest' }))
    expect(await selected(index, 'linux/arm64')).toMatchObject({ digest: arm64.descriptor.digest })
  })

  it('an index that leads to too many manifests is too large', async () => {
    const many = Array.from({ length: 200 }, (_, i) => image(on('linux', `cpu${i}`)))
    await expect(selected(makeIndex(many.map((one) => [one])))).rejects.toThrow(
      expect.objectContaining({ code: 'too_large', message: expect.stringContaining('256') }),
    )
  })

  it('all platforms are listed with their sizes, nested ones in their place', async () => {
    const s390x = image(on('linux', 's390x'))
    const index = makeIndex([
      [amd64, { platform: on('linux', 'amd64') }],
      [makeIndex([[s390x]])],
      [arm64, { platform: on('linux', 'arm64', 'v8') }],
      // A mirror that holds only some of the platforms.
      [
        { ...amd64, blobs: new Map(), children: [] },
        { platform: on('linux', 'mips'), digest: digestOf(jsonBytes('gone')) },
      ],
    ])
    const compressedBytes = layer.descriptor.size
    expect(await listPlatforms(sourceOf(index))).toEqual([
      { platform: on('linux', 'amd64'), digest: amd64.descriptor.digest, compressedBytes },
      { platform: on('linux', 's390x'), digest: s390x.descriptor.digest, compressedBytes },
      { platform: on('linux', 'arm64'), digest: arm64.descriptor.digest, compressedBytes },
    ])
    expect(await listPlatforms(sourceOf(arm64))).toEqual([
      { platform: on('linux', 'arm64'), digest: arm64.descriptor.digest, compressedBytes },
    ])
  })
})
