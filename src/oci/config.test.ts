import { describe, expect, it } from 'vitest'
import { jsonBytes, makeImage, makeLayer } from '../../test/support/images.ts'
import { nonEmptyHistory, parseConfig, requireDiffIds } from './config.ts'
import { parseManifest } from './manifest.ts'

const DIFF_ID = `sha256:${'b'.repeat(64)}`

const problem = (code: string, text: string) =>
  expect.objectContaining({ code, permanent: true, message: expect.stringContaining(text) })

describe('a config', () => {
  it('is read completely', () => {
    const bytes = jsonBytes({
      created: '2024-05-06T07:08:09.123456789Z',
      author: 'someone',
      architecture: 'arm',
      variant: 'v7',
      os: 'linux',
      'os.version': '10.0',
      config: {
        User: '1000:1000',
        ExposedPorts: { '8080/tcp': {}, '53/udp': {} },
        Env: ['PATH=/bin', 'A=b=c'],
        Entrypoint: ['/app'],
        Cmd: ['--help'],
        Volumes: { '/var/lib': {}, '/data': {} },
        WorkingDir: '/srv',
        Labels: { b: '2', a: '1' },
        StopSignal: 'SIGQUIT',
        Shell: ['/bin/bash', '-c'],
        OnBuild: ['RUN true'],
        Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 30_000_000_000, Retries: 3 },
        Domainname: 'ignored',
      },
      rootfs: { type: 'layers', diff_ids: [DIFF_ID] },
      history: [
        { created: '2024-05-06T09:08:09+02:00', created_by: 'ENV A=b=c', empty_layer: true },
        { created_by: 'COPY a b # buildkit', comment: 'buildkit.dockerfile.v0' },
      ],
    })
    expect(parseConfig(bytes)).toEqual({
      os: 'linux',
      architecture: 'arm',
      variant: 'v7',
      osVersion: '10.0',
      created: '2024-05-06T07:08:09.123456789Z',
      author: 'someone',
      config: {
        env: ['PATH=/bin', 'A=b=c'],
        labels: { a: '1', b: '2' },
        entrypoint: ['/app'],
        cmd: ['--help'],
        user: '1000:1000',
        workingDir: '/srv',
        exposedPorts: ['53/udp', '8080/tcp'],
        volumes: ['/data', '/var/lib'],
        healthcheck: { test: ['CMD-SHELL', 'true'], interval: 30_000_000_000, retries: 3 },
        stopSignal: 'SIGQUIT',
        shell: ['/bin/bash', '-c'],
        onBuild: ['RUN true'],
      },
      diffIds: [DIFF_ID],
      history: [
        { created: '2024-05-06T07:08:09.000Z', createdBy: 'ENV A=b=c', emptyLayer: true },
        { createdBy: 'COPY a b # buildkit', comment: 'buildkit.dockerfile.v0', emptyLayer: false },
      ],
    })
  })

  it('may lack every field, or have null for it, as Go writes it', () => {
    const empty = {
      os: 'linux',
      architecture: 'unknown',
      config: { env: [], labels: {}, exposedPorts: [], volumes: [], onBuild: [] },
      diffIds: [],
      history: [],
    }
    expect(parseConfig(jsonBytes({}))).toEqual(empty)
    const nulls = {
      config: { Env: null, Labels: null, Cmd: null, Volumes: null },
      rootfs: null,
      history: null,
    }
    expect(parseConfig(jsonBytes(nulls))).toEqual(empty)
    expect(parseConfig(jsonBytes({ config: null, os: '', created: 'yesterday' }))).toEqual(empty)
  })

  it('may have a command as a single string', () => {
    expect(parseConfig(jsonBytes({ config: { Cmd: 'sh', Entrypoint: '/init' } })).config).toMatchObject({
      cmd: ['sh'],
      entrypoint: ['/init'],
    })
  })

  it.each([
    ['not JSON', 'invalid_image', new TextEncoder().encode('not json at all')],
    ['expected object, received array', 'invalid_image', jsonBytes([1, 2, 3])],
    ["config's config.Env", 'invalid_image', jsonBytes({ config: { Env: [1] } })],
    ["config's rootfs.diff_ids", 'invalid_image', jsonBytes({ rootfs: { diff_ids: 'none' } })],
    ['layer 0 in the config', 'invalid_image', jsonBytes({ rootfs: { diff_ids: ['x'] } })],
    ['layer 0', 'unsupported_digest', jsonBytes({ rootfs: { diff_ids: [`sha512:${'a'.repeat(128)}`] } })],
  ])('%s', (what, code, bytes) => {
    expect(() => parseConfig(bytes)).toThrow(problem(code, what))
  })
})

describe('the history', () => {
  const config = (layers: number, steps: readonly boolean[]) =>
    parseConfig(
      jsonBytes({
        rootfs: { diff_ids: Array(layers).fill(DIFF_ID) },
        history: steps.map((empty, i) => ({ created_by: `step ${i}`, empty_layer: empty })),
      }),
    )

  it('says which step made which layer, skipping empty ones', () => {
    const steps = nonEmptyHistory(config(2, [true, false, true, false, true]))
    expect(steps.map((step) => step.createdBy)).toEqual(['step 1', 'step 3'])
  })

  it('says nothing if it does not match the layers', () => {
    expect(nonEmptyHistory(config(2, []))).toEqual([])
    expect(nonEmptyHistory(config(1, [false, false]))).toEqual([])
  })
})

it('a config must name the diffId of each layer', async () => {
  const layer = await makeLayer([{ name: 'a' }])
  const image = makeImage([layer, layer], { config: { rootfs: { diff_ids: [layer.diffId] } } })
  const manifest = parseManifest(image.bytes)
  if (manifest.kind !== 'image') throw new Error('not an image')
  expect(() => requireDiffIds(manifest, parseConfig(image.config.bytes))).toThrow(
    problem('invalid_image', '2 layers, but the config has 1 diffIds'),
  )
})

it('treats null as an empty string in labels and lists, as Go does', () => {
  const config = {
    config: { Labels: { a: null, b: 'c' }, Env: [null, 'A=1'], Cmd: ['x', null], OnBuild: [null] },
    rootfs: { diff_ids: [] },
  }
  expect(parseConfig(jsonBytes(config)).config).toMatchObject({
    labels: { a: '', b: 'c' },
    env: ['', 'A=1'],
    cmd: ['x', ''],
    onBuild: [''],
  })
})

it('with more values than any real config is refused before it is parsed', () => {
  const labels = Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`key${i}`, '']))
  const many = jsonBytes({ os: 'linux', other: labels })
  expect(() => parseConfig(many)).toThrow(problem('too_large', 'more than 100000 values'))
})
