/** Which images the objects of a cluster, or the services of compose, use: what `kubectl` and `docker compose config` print. */
import { isJsonObject } from '../../src/text/json.ts'

/** Where an image is used. */
export type Use = {
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly container?: string
}

export type UsedImage = {
  /** As written. */
  readonly reference: string
  /** What runs by now: the reference that a status has, with its digest; else as written. */
  readonly read: string
  readonly platform?: string
  readonly node?: string
  readonly use: Use
}

export type Inventory = {
  /** In the order of the input. */
  readonly used: readonly UsedImage[]
  /** Objects that are not read, by kind. */
  readonly ignored: ReadonlyMap<string, number>
}

type Fields = Readonly<Record<string, unknown>>

/** Where the template of a pod is in each kind of object. */
const TEMPLATES: ReadonlyMap<string, readonly string[]> = new Map([
  ['PodTemplate', ['template']],
  ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job'].map(
    (kind): [string, readonly string[]] => [kind, ['spec', 'template']],
  ),
  ['CronJob', ['spec', 'jobTemplate', 'spec', 'template']],
])

/** In this order, each with where the status of a pod tells of them. */
const CONTAINERS = [
  ['initContainers', 'initContainerStatuses'],
  ['containers', 'containerStatuses'],
  ['ephemeralContainers', 'ephemeralContainerStatuses'],
] as const

/** A list within lists: `kubectl` prints one. */
const MAX_DEPTH = 8
/** `docker-pullable://` is what dockershim wrote before it. */
const RUNNING = /^(?:docker-pullable:\/\/)?([^@\s]+@sha256:[0-9a-f]{64})$/
const WITHOUT_IMAGE = 'service without image'

/** What is missing or of another type is passed over. */
export function inventoryOf(documents: readonly unknown[]): Inventory {
  const objects = documents.flatMap((document) => objectsIn(document, undefined, 0))
  const platforms = new Map(objects.flatMap(platformOfNode))
  const used: UsedImage[] = []
  const ignored = new Map<string, number>()
  const ignore = (kind: string) => ignored.set(kind, (ignored.get(kind) ?? 0) + 1)
  for (const object of objects) {
    const kind = textIn(object, 'kind')
    if (kind === undefined) {
      for (const [name, service] of Object.entries(fieldsIn(object, 'services') ?? {})) {
        const image = serviceImage(name, service)
        if (image === undefined) ignore(WITHOUT_IMAGE)
        else used.push(image)
      }
    } else if (kind === 'Pod') used.push(...podImages(object, platforms))
    else if (TEMPLATES.has(kind)) used.push(...templateImages(object, kind))
    else if (kind !== 'Node') ignore(kind)
  }
  return { used, ignored }
}

/** The objects of lists, in order. @param kind of the items of a typed list, which have none themselves */
function objectsIn(value: unknown, kind: string | undefined, depth: number): readonly Fields[] {
  if (depth > MAX_DEPTH) return []
  if (Array.isArray(value)) return value.flatMap((item) => objectsIn(item, kind, depth + 1))
  if (!isJsonObject(value)) return []
  const own = textIn(value, 'kind') ?? kind
  if (own?.endsWith('List') && Array.isArray(value.items))
    return objectsIn(value.items, own === 'List' ? undefined : own.slice(0, -'List'.length), depth + 1)
  return [own === undefined ? value : { ...value, kind: own }]
}

function platformOfNode(object: Fields): readonly (readonly [name: string, platform: string])[] {
  if (textIn(object, 'kind') !== 'Node') return []
  const info = fieldsIn(fieldsIn(object, 'status'), 'nodeInfo')
  const name = textIn(fieldsIn(object, 'metadata'), 'name')
  const [os, architecture] = [textIn(info, 'operatingSystem'), textIn(info, 'architecture')]
  return name && os && architecture ? [[name, `${os}/${architecture}`]] : []
}

function podImages(pod: Fields, platforms: ReadonlyMap<string, string>): readonly UsedImage[] {
  const spec = fieldsIn(pod, 'spec')
  const status = fieldsIn(pod, 'status')
  const node = textIn(spec, 'nodeName')
  const platform = node === undefined ? undefined : platforms.get(node)
  return CONTAINERS.flatMap(([place, statuses]) => {
    const running = new Map(
      listIn(status, statuses).map((one) => [textIn(one, 'name'), textIn(one, 'imageID')]),
    )
    return listIn(spec, place).flatMap((container) =>
      containerImage(container, useIn(pod, 'Pod'), (name) => running.get(name)).map((image) => ({
        ...image,
        ...(node === undefined ? {} : { node }),
        ...(platform === undefined ? {} : { platform }),
      })),
    )
  })
}

function templateImages(object: Fields, kind: string): readonly UsedImage[] {
  const template = (TEMPLATES.get(kind) ?? []).reduce<Fields | undefined>(fieldsIn, object)
  const spec = fieldsIn(template, 'spec')
  return CONTAINERS.flatMap(([place]) =>
    listIn(spec, place).flatMap((container) =>
      containerImage(container, useIn(object, kind), () => undefined),
    ),
  )
}

function useIn(object: Fields, kind: string): Use {
  const metadata = fieldsIn(object, 'metadata')
  const namespace = textIn(metadata, 'namespace')
  return { kind, ...(namespace === undefined ? {} : { namespace }), name: textIn(metadata, 'name') ?? '' }
}

function containerImage(
  container: Fields,
  use: Use,
  running: (name: string | undefined) => string | undefined,
): readonly UsedImage[] {
  const reference = textIn(container, 'image')
  if (reference === undefined) return []
  const name = textIn(container, 'name')
  const [, read = reference] = RUNNING.exec(running(name) ?? '') ?? []
  return [{ reference, read, use: { ...use, ...(name === undefined ? {} : { container: name }) } }]
}

function serviceImage(name: string, service: unknown): UsedImage | undefined {
  const fields = isJsonObject(service) ? service : undefined
  const reference = textIn(fields, 'image')
  if (reference === undefined) return undefined
  const platform = textIn(fields, 'platform')
  const use = { kind: 'service', name }
  return { reference, read: reference, use, ...(platform === undefined ? {} : { platform }) }
}

function fieldsIn(object: Fields | undefined, name: string): Fields | undefined {
  const value = object?.[name]
  return isJsonObject(value) ? value : undefined
}

function listIn(object: Fields | undefined, name: string): readonly Fields[] {
  const value = object?.[name]
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

function textIn(object: Fields | undefined, name: string): string | undefined {
  const value = object?.[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}
