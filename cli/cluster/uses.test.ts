import { expect, test } from 'vitest'
import { inventoryOf } from './uses.ts'

const container = (name: string, image: string) => ({ name, image })
const DIGEST = `sha256:${'a'.repeat(64)}`

test('a pod: init, ordinary and ephemeral containers, and what runs by now', () => {
  const pod = {
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      nodeName: 'n1',
      containers: [container('app', 'app:v1'), container('side', 'side')],
      initContainers: [container('init', 'init:1')],
      ephemeralContainers: [container('debug', 'debug')],
    },
    status: {
      containerStatuses: [
        { name: 'app', imageID: `docker-pullable://r.io/app@${DIGEST}` },
        // Without a repository it names nothing that a registry has.
        { name: 'side', imageID: DIGEST },
      ],
    },
  }
  const node = {
    kind: 'Node',
    metadata: { name: 'n1' },
    status: { nodeInfo: { operatingSystem: 'linux', architecture: 'arm64' } },
  }
  const { used } = inventoryOf([{ kind: 'List', items: [pod, node] }])
  const use = (name: string) => ({ kind: 'Pod', namespace: 'shop', name: 'web', container: name })
  const there = { node: 'n1', platform: 'linux/arm64' }
  expect(used).toEqual([
    { reference: 'init:1', read: 'init:1', use: use('init'), ...there },
    { reference: 'app:v1', read: `r.io/app@${DIGEST}`, use: use('app'), ...there },
    { reference: 'side', read: 'side', use: use('side'), ...there },
    { reference: 'debug', read: 'debug', use: use('debug'), ...there },
  ])
})

test('workloads by their templates, also in a list of one kind, whose items have none', () => {
  const spec = { containers: [container('c', 'app')] }
  const items = [{ metadata: { name: 'a' }, spec: { template: { spec } } }]
  const job = {
    kind: 'CronJob',
    metadata: { name: 'b' },
    spec: { jobTemplate: { spec: { template: { spec } } } },
  }
  const template = { kind: 'PodTemplate', metadata: { name: 'c' }, template: { spec } }
  const { used } = inventoryOf([{ kind: 'DeploymentList', items }, job, template])
  expect(used.map(({ use }) => `${use.kind} ${use.name}`)).toEqual([
    'Deployment a',
    'CronJob b',
    'PodTemplate c',
  ])
})

test('services of compose with their platforms; what has no image, and other kinds, are counted', () => {
  const services = {
    web: { image: 'app' },
    arm: { image: 'app', platform: 'linux/arm64' },
    built: { build: {} },
  }
  const { used, ignored } = inventoryOf([
    { services },
    { kind: 'Service' },
    { kind: 'Service' },
    { kind: 'Node' },
  ])
  expect(used).toEqual([
    { reference: 'app', read: 'app', use: { kind: 'service', name: 'web' } },
    { reference: 'app', read: 'app', use: { kind: 'service', name: 'arm' }, platform: 'linux/arm64' },
  ])
  expect([...ignored]).toEqual([
    ['service without image', 1],
    ['Service', 2],
  ])
})

test('parts that are missing or of another type are passed over', () => {
  const odd = [
    null,
    5,
    { kind: 'Pod' },
    { kind: 'Pod', spec: { containers: 'x' } },
    { kind: 'Job', spec: { template: null } },
  ]
  const half = {
    kind: 'Pod',
    metadata: { name: 7 },
    spec: { containers: [null, { name: 'c' }, { image: 5 }, { image: 'app' }] },
  }
  expect(inventoryOf([...odd, half]).used).toEqual([
    { reference: 'app', read: 'app', use: { kind: 'Pod', name: '' } },
  ])
  let deep: unknown = half
  for (let n = 0; n < 100; n++) deep = { kind: 'List', items: [deep] }
  expect(inventoryOf([deep]).used).toEqual([])
})
