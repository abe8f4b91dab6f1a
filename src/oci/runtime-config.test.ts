import { expect, it, test } from 'vitest'
import { parseConfig } from './config.ts'
import { toRuntimeConfig } from './runtime-config.ts'

const ROOT = { uid: 0, gid: 0, additionalGids: [] }
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function image(config: object, more: object = {}) {
  return parseConfig(
    new TextEncoder().encode(JSON.stringify({ os: 'linux', architecture: 'amd64', ...more, config })),
  )
}

test.each([
  [{}, ['sh']],
  [{ Entrypoint: [], Cmd: null }, ['sh']],
  [{ Cmd: ['/c', '"'] }, ['/c', '"']],
  [{ Entrypoint: ['/e', 'a b', ''], Cmd: ['c', '$HOME'] }, ['/e', 'a b', '', 'c', '$HOME']],
])('the command of %j is %j', (config, args) => {
  expect(toRuntimeConfig(image(config), ROOT).process.args).toStrictEqual(args)
})

it("the image's settings override the defaults and the home in etc/passwd", () => {
  const config = { Env: ['PATH=/only', 'A=1=2', 'EMPTY=', 'TERM=dumb'] }
  expect(toRuntimeConfig(image(config), { ...ROOT, home: '/root' }).process.env).toStrictEqual([
    'HOME=/root',
    ...config.Env,
  ])
  expect(
    toRuntimeConfig(image({ Env: ['HOME=/mine'] }), { ...ROOT, home: '/root' }).process.env,
  ).toStrictEqual([PATH, 'TERM=xterm', 'HOME=/mine'])
})

it('labels override the rest of the config', () => {
  const config = {
    StopSignal: 'SIGUSR1',
    ExposedPorts: { '8080/tcp': {}, '53/udp': {} },
    Labels: { 'org.opencontainers.image.os': 'plan9', own: '' },
  }
  expect(toRuntimeConfig(image(config, { author: 'A' }), ROOT).annotations).toStrictEqual({
    'org.opencontainers.image.os': 'plan9',
    'org.opencontainers.image.architecture': 'amd64',
    'org.opencontainers.image.author': 'A',
    'org.opencontainers.image.stopSignal': 'SIGUSR1',
    'org.opencontainers.image.exposedPorts': '53/udp,8080/tcp',
    own: '',
  })
  const named = JSON.parse('{"__proto__":"y"}')
  expect(Object.entries(toRuntimeConfig(image({ Labels: named }), ROOT).annotations ?? {})).toContainEqual([
    '__proto__',
    'y',
  ])
})

it('a volume becomes a tmpfs after the mounts that every container has', () => {
  const { mounts } = toRuntimeConfig(image({ Volumes: { '/data': {} } }), ROOT)
  expect(mounts).toHaveLength(8)
  expect(mounts[7]).toMatchObject({ destination: '/data', type: 'tmpfs' })
})

it('a relative working directory starts at the root', () => {
  expect(toRuntimeConfig(image({ WorkingDir: 'srv' }), ROOT).process.cwd).toBe('/srv')
})

it("rootless maps only the caller's user and group", () => {
  const { linux, process } = toRuntimeConfig(
    image({}),
    { uid: 5, gid: 6, additionalGids: [7] },
    { uid: 1001, gid: 1002 },
  )
  expect(linux.uidMappings).toStrictEqual([{ containerID: 0, hostID: 1001, size: 1 }])
  expect(linux.gidMappings).toStrictEqual([{ containerID: 0, hostID: 1002, size: 1 }])
  expect(process.user).toStrictEqual({ uid: 5, gid: 6, additionalGids: [7] })
})

it('an image for another operating system is refused, naming it', () => {
  expect(() => toRuntimeConfig(image({}, { os: 'windows' }), ROOT)).toThrow('windows')
})
