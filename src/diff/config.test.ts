import { expect, test } from 'vitest'
import { type ImageConfig, parseConfig } from '../oci/config.ts'
import { diffConfigs } from './config.ts'

function config(
  run: Readonly<Record<string, unknown>>,
  rest: Readonly<Record<string, unknown>> = {},
): ImageConfig {
  const document = { os: 'linux', architecture: 'amd64', ...rest, config: run, rootfs: { diff_ids: [] } }
  return parseConfig(new TextEncoder().encode(JSON.stringify(document)))
}

test('compares field by field, the environment by name and labels by key', () => {
  const from = config({
    Env: ['PATH=/bin', 'GONE=1', 'MODE=a=b', 'TWICE=1', 'TWICE=2'],
    Labels: { version: '1', 'a.b': 'c' },
    Entrypoint: ['run', 'it'],
    Cmd: ['x'],
    User: 'root',
    ExposedPorts: { '80/tcp': {} },
    Volumes: { '/data': {} },
    Healthcheck: { Test: ['CMD', 'true'], Retries: 3 },
    StopSignal: 'SIGTERM',
  })
  const to = config(
    {
      Env: ['MODE=a=c', 'TWICE=2', 'PATH=/bin', 'NEW='],
      Labels: { 'a.b': 'c', version: '2' },
      Entrypoint: ['run', 'it'],
      Cmd: [],
      WorkingDir: '/srv',
      ExposedPorts: { '443/tcp': {}, '80/tcp': {} },
      Healthcheck: { Test: ['CMD', 'true'], Retries: 4 },
      StopSignal: 'SIGINT',
    },
    { variant: 'v2' },
  )
  expect(diffConfigs(from, to)).toEqual([
    { field: 'variant', to: 'v2' },
    { field: 'cmd', from: ['x'] },
    { field: 'user', from: 'root' },
    { field: 'workingDir', to: '/srv' },
    { field: 'env.GONE', from: '1' },
    { field: 'env.MODE', from: 'a=b', to: 'a=c' },
    { field: 'env.NEW', to: '' },
    { field: 'exposedPorts', from: ['80/tcp'], to: ['443/tcp', '80/tcp'] },
    { field: 'volumes', from: ['/data'] },
    {
      field: 'healthcheck',
      from: { test: ['CMD', 'true'], retries: 3 },
      to: { test: ['CMD', 'true'], retries: 4 },
    },
    { field: 'stopSignal', from: 'SIGTERM', to: 'SIGINT' },
    { field: 'labels.version', from: '1', to: '2' },
  ])
  expect(diffConfigs(to, from)).toEqual(
    diffConfigs(from, to).map(({ field, from, to }) => ({
      field,
      ...(to === undefined ? {} : { from: to }),
      ...(from === undefined ? {} : { to: from }),
    })),
  )
})

test('times and builders are not compared', () => {
  expect(
    diffConfigs(
      config({ Cmd: null }, { created: '2026-01-01T00:00:00Z' }),
      config({ Cmd: [] }, { author: 'me' }),
    ),
  ).toEqual([])
})
