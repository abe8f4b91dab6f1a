/** Two image configs, field by field: how containers start, and on which platform. */
import type { Healthcheck, ImageConfig } from '../oci/config.ts'
import { maskStep, maskValue } from '../oci/secret-values.ts'

export type ConfigValue = string | readonly string[] | Healthcheck

/** A side without such a field has no value. */
export type ConfigChange = {
  /** `env.NAME`, `labels.KEY`, or a field's own name: `user`, `exposedPorts`. */
  readonly field: string
  readonly from?: ConfigValue
  readonly to?: ConfigValue
}

/** In the order of the fields below; environment and labels by name. */
export function diffConfigs(from: ImageConfig, to: ImageConfig): ConfigChange[] {
  const before = fieldsOf(from)
  const after = fieldsOf(to)
  const names = new Set([...before.keys(), ...after.keys()])
  const changes: ConfigChange[] = []
  for (const field of [...names].sort(byGroup)) {
    const [was, is] = [before.get(field), after.get(field)]
    if (JSON.stringify(was) === JSON.stringify(is)) continue
    changes.push({
      field,
      ...(was === undefined ? {} : { from: masked(field, was) }),
      ...(is === undefined ? {} : { to: masked(field, is) }),
    })
  }
  return changes
}

/** Values that look like secrets show as `***`. */
function masked(field: string, value: ConfigValue): ConfigValue {
  const [, name] = /^(?:env|labels)\.(.*)$/s.exec(field) ?? []
  if (typeof value === 'string') return name === undefined ? maskStep(value) : maskValue(name, value)
  if ('test' in value) return { ...value, test: value.test.map(maskStep) }
  return value.map(maskStep)
}

const GROUPS = [
  'os',
  'architecture',
  'variant',
  'osVersion',
  'entrypoint',
  'cmd',
  'user',
  'workingDir',
  'env',
  'exposedPorts',
  'volumes',
  'healthcheck',
  'stopSignal',
  'shell',
  'onBuild',
  'labels',
]

function byGroup(a: string, b: string): number {
  const [first, second] = [groupOf(a), groupOf(b)]
  return first !== second ? first - second : a < b ? -1 : 1
}

function groupOf(field: string): number {
  return GROUPS.indexOf(field.split('.', 1)[0] ?? field)
}

function fieldsOf({ os, architecture, variant, osVersion, config }: ImageConfig): Map<string, ConfigValue> {
  const { env, labels, entrypoint, cmd, user, workingDir, exposedPorts, volumes } = config
  const { healthcheck, stopSignal, shell, onBuild } = config
  const plain = { os, architecture, variant, osVersion, user, workingDir, healthcheck, stopSignal }
  const lists = { entrypoint, cmd, exposedPorts, volumes, shell, onBuild }
  const fields = new Map<string, ConfigValue>()
  for (const [name, value] of Object.entries(plain)) if (value !== undefined) fields.set(name, value)
  // An empty list means the same as a missing one.
  for (const [name, value] of Object.entries(lists)) if (value?.length) fields.set(name, value)
  for (const variable of env) {
    const [name = '', ...value] = variable.split('=')
    // If a name repeats, the last one counts, as when a container starts.
    fields.set(`env.${name}`, value.join('='))
  }
  for (const [key, value] of Object.entries(labels)) fields.set(`labels.${key}`, value)
  return fields
}
